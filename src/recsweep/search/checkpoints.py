"""Trials in progress on disk: `<study>/checkpoints/<trial>.safetensors`.

One file a trial: tensors, and in the file's header what they belong to, as JSON. A checkpoint may
be lost or spoilt at any time; the trial then starts again from its first epoch.
"""

import hashlib
import json
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from recsweep.records.atomic import write_bytes
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import Checkpoint

SHARE = 20
"""Writing takes at most one part in so many of a trial's time."""

_KEY, _DIGEST = "recsweep", "sha256"
_BEST = "best/"
Owner = Mapping[str, Any]
"""What a checkpoint belongs to, JSON all through: study, trial, configuration and seed."""


class Unusable(Exception):
    """There is a checkpoint, but not for this trial, or it is damaged; the message says which."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Where a study's checkpoints lie."""

    folder: Path

    def path(self, trial: str) -> Path:
        """Of one trial's checkpoint."""
        return self.folder / f"{trial}.safetensors"

    def write(self, trial: str, owner: Owner, checkpoint: Checkpoint) -> None:
        """Replace the trial's checkpoint, whole or not at all.

        Raises:
            OSError: the folder can't be written to.
        """
        write_bytes(self.path(trial), packed(owner, checkpoint), durable=False)  # it has a digest

    def read(self, trial: str, owner: Owner) -> Checkpoint | None:
        """The trial's checkpoint; None: it has none.

        Raises:
            Unusable: it is damaged or was written for something else.
        """
        path = self.path(trial)
        if not path.exists():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                meta = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if meta[_DIGEST] != _digest(meta[_KEY], tensors):
                raise Unusable(f"{path.name} is damaged: its content is not what was written")
            header = json.loads(meta[_KEY])
            if header["owner"] != json.loads(json.dumps(owner)):
                raise Unusable(f"{path.name} was written for another trial")
            return _checkpoint(header, tensors)
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            raise Unusable(f"{path.name} is damaged: {error}") from error

    def epoch(self, trial: str) -> int:
        """The last epoch of the trial's checkpoint; 0: there is none, or none that can be read."""
        try:
            with safe_open(self.path(trial), framework="pt") as file:
                return int(json.loads(file.metadata()[_KEY])["last"]["epoch"])
        except (SafetensorError, OSError, KeyError, TypeError, ValueError):
            return 0

    def remove(self, trial: str) -> None:
        """Forget a trial that has ended."""
        try:
            self.path(trial).unlink(missing_ok=True)
            for half_written in self.folder.glob(f".{trial}.*.tmp"):
                half_written.unlink(missing_ok=True)
        except OSError:
            return  # it is of no use to anyone, and does no harm

    def keep(self, trials: Container[str]) -> None:
        """Forget all others, which ended when nobody could tell."""
        for path in self.folder.glob("*.safetensors"):
            if path.stem not in trials:
                self.remove(path.stem)


class Pace:
    """When a checkpoint is due: `seconds` after the last, and `SHARE` times what that one took.

    With 0 seconds, always.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self._cost = seconds, 0.0
        self._last = time.monotonic()

    def due(self) -> bool:
        """Is it time for the next one?"""
        wait = max(self._seconds, SHARE * self._cost) if self._seconds else 0.0
        return time.monotonic() - self._last >= wait

    def wrote(self, began: float) -> None:
        """Take note of one that was begun at this moment of the monotonic clock."""
        self._last = time.monotonic()
        self._cost = self._last - began


def packed(owner: Owner, checkpoint: Checkpoint) -> bytes:
    """A checkpoint as a file's content."""
    best = checkpoint.best
    tensors = {
        name: value.detach().cpu().contiguous() for name, value in checkpoint.tensors.items()
    }
    tensors |= {f"{_BEST}{n}": torch.from_numpy(v) for n, v in enumerate(best.user_values)}
    header = {
        "owner": owner,
        "last": _head(checkpoint.last),
        "best": _head(best),
    }
    text = json.dumps(header)
    return save(tensors, {_KEY: text, _DIGEST: _digest(text, tensors)})


def _checkpoint(header: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> Checkpoint:
    n_users = sum(name.startswith(_BEST) for name in tensors)
    users = tuple(tensors[f"{_BEST}{n}"].numpy() for n in range(n_users))
    return Checkpoint(
        last=_report(header["last"]),
        best=replace(_report(header["best"]), user_values=users),
        tensors={n: value for n, value in tensors.items() if not n.startswith(_BEST)},
    )


def _head(report: EpochReport) -> dict[str, Any]:
    return {"epoch": report.epoch, "value": report.value, **report.entry()}


def _report(head: dict[str, Any]) -> EpochReport:
    return EpochReport.of_entry(head.pop("epoch"), head.pop("value"), head)


def _digest(header: str, tensors: Mapping[str, torch.Tensor]) -> str:
    """sha256 over the header, and over names, types, shapes and bytes."""
    found = hashlib.sha256(header.encode())
    for name, value in sorted(tensors.items()):
        found.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(value.flatten().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()
