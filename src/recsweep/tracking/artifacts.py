"""W&B artifacts: what a run took in and what it gave out. Between them lies a study's lineage.

What an artifact holds is copied beside the run files, so that `wandb sync` finds it however much
later, and whatever has been written over since.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import wandb

from recsweep.records.atomic import write_bytes
from recsweep.spaces.declared import DeclaredSpace

COPIES = "artifacts"  # in the folder of the run files


@dataclass(frozen=True, slots=True)
class Item:
    """An artifact as data: files by name, or a reference to what stays where it is."""

    name: str
    type: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    reference: str | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The same for the same content."""
        content = hashlib.sha256(f"{self.name} {self.reference}".encode())
        for name, data in sorted(self.files.items()):
            content.update(f"\0{name}\0{len(data)}\0".encode() + data)
        return content.hexdigest()[:12]


def prepared_data(dataset: str, fingerprint: str) -> Item:
    """Where the data lies and what it is; no row of it is sent."""
    return Item(
        name=f"data-{dataset}",
        type="dataset",
        reference=f"recsweep://data/{dataset}?fingerprint={fingerprint}",
        metadata={"dataset": dataset, "fingerprint": fingerprint},
    )


def search_space(study: str, spaces: Mapping[str, DeclaredSpace]) -> Item:
    """What could vary, one file a family."""
    files = {
        f"{name}.json": json.dumps(space.keys_as_declared(), indent=1, ensure_ascii=False).encode()
        for name, space in spaces.items()
    }
    return Item(f"{study}-space", "search-space", files)


def folder_item(name: str, type_: str, folder: Path) -> Item:
    """Every file under a folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return Item(name, type_, {str(p.relative_to(folder)): p.read_bytes() for p in paths})


def take_in(run: Any, item: Item, folder: Path) -> None:
    """Say that a run stood on `item`. W&B refuses its public call where a run is a file."""
    artifact = _artifact(item, folder)
    run._log_artifact(artifact, is_user_created=True, use_after_commit=True)


def give_out(run: Any, item: Item, folder: Path) -> None:
    """Say that a run made `item`."""
    run.log_artifact(_artifact(item, folder))


def _artifact(item: Item, folder: Path) -> wandb.Artifact:
    artifact = wandb.Artifact(item.name, type=item.type, metadata=dict(item.metadata))
    if item.reference is not None:
        artifact.add_reference(item.reference, name="reference", checksum=False)
    copies = folder / "wandb" / COPIES / f"{item.name}-{item.digest}"
    for name, data in item.files.items():
        path = copies / name
        if not path.exists():
            write_bytes(path, data)
        artifact.add_file(str(path), name=name, skip_cache=True, policy="immutable")
    return artifact
