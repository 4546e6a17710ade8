"""A prepared folder's files: written once, checked against their manifest before every use."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from recsweep.data.manifest import Manifest, PreparedFile, read_manifest
from recsweep.data.sources import file_sha256
from recsweep.data.types import BESIDE, KINDS, Dataset, Events
from recsweep.errors import BadInput

DEVELOPMENT = "development.parquet"
USERS = "users.parquet"
ITEMS = "items.parquet"
SEALED_TEST = "sealed_test.parquet"
SEALED_USERS = "sealed_users.parquet"  # those who appear in the test only
SEALED_ITEMS = "sealed_items.parquet"
USER_ROWS = "user_rows.parquet"  # of dated tables; those before the test
ITEM_ROWS = "item_rows.parquet"
WORD_VECTORS = "word_vectors.parquet"  # of what the development's texts hold
SEALED = {
    USER_ROWS: "sealed_user_rows.parquet",
    ITEM_ROWS: "sealed_item_rows.parquet",
    WORD_VECTORS: "sealed_word_vectors.parquet",  # of what the test's alone hold
}


def load_dataset(folder: Path) -> Dataset:
    """Load the development period. The sealed test's files are not touched.

    Raises:
        BadInput: a file is missing or was changed since it was prepared.
    """
    manifest = read_manifest(folder)
    beside = [name for name in SEALED if name in manifest.files]
    verify(folder, manifest, (DEVELOPMENT, USERS, ITEMS, *beside))
    users, items = (pl.read_parquet(folder / name) for name in (USERS, ITEMS))
    user_rows, item_rows, word_vectors = (
        pl.read_parquet(folder / name) if name in beside else None for name in SEALED
    )
    return Dataset(
        folder=folder,
        fingerprint=manifest.fingerprint,
        cuts=manifest.cuts,
        development=read_events(folder / DEVELOPMENT),
        users=users,
        items=items,
        n_users=len(users),
        n_items=len(items),
        user_rows=user_rows,
        item_rows=item_rows,
        word_vectors=word_vectors,
    )


def verify(folder: Path, manifest: Manifest, names: Iterable[str]) -> None:
    """Compare files with the manifest.

    Raises:
        BadInput: a file is missing or was changed.
    """
    for name in names:
        path = folder / name
        expected = manifest.files.get(name)
        try:
            found = file_sha256(path)
        except OSError as error:
            raise BadInput(
                f"{path}: cannot be read ({error.strerror}); "
                f"delete the folder {folder} and run recsweep prepare"
            ) from None
        if expected is None or found != expected.sha256:
            raise BadInput(
                f"{path}: was changed after it was prepared (sha256 {found[:12]}…, the manifest "
                f"has {expected.sha256[:12] if expected else 'none'}…); "
                f"delete the folder {folder} and run recsweep prepare"
            )


def write_events(path: Path, events: Events) -> PreparedFile:
    """Write events as columns user, item, time and type, and those that not every log has."""
    beside = events.beside
    frame = pl.DataFrame(
        {
            "user": events.user,
            "item": events.item,
            "time": pl.Series(events.time).cast(pl.Datetime("us", "UTC")),
            "type": pl.Series(KINDS, dtype=pl.Enum(KINDS)).gather(events.kind),
            **beside,
        }
    )
    frame.write_parquet(path)
    digest = hashlib.sha256()
    for column in (events.user, events.item, events.time, events.kind, *beside.values()):
        digest.update(np.ascontiguousarray(column).data)
    return _describe(path, digest.hexdigest())


def read_events(path: Path) -> Events:
    """The inverse of `write_events`."""
    frame = pl.read_parquet(path)
    kinds = frame["type"].cast(pl.Enum(KINDS)).to_physical().cast(pl.Int8)
    return Events(
        user=frame["user"].to_numpy(),
        item=frame["item"].to_numpy(),
        time=frame["time"].cast(pl.Int64).to_numpy(),
        kind=kinds.to_numpy(),
        **{name: frame[name].to_numpy() for name in BESIDE if name in frame.columns},
    )


def write_table(path: Path, table: pl.DataFrame) -> PreparedFile:
    """Write a table of users or items; its row is the code."""
    table.write_parquet(path)
    digest = hashlib.sha256()
    for column in table:
        digest.update(json.dumps([column.name, column.to_list()]).encode())
    return _describe(path, digest.hexdigest())


def _describe(path: Path, content: str) -> PreparedFile:
    return PreparedFile(bytes=path.stat().st_size, sha256=file_sha256(path), content=content)
