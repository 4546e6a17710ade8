"""The sealed test. Only the confirmation imports this; an import contract keeps the search out."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recsweep.data.before_cut import rows_of
from recsweep.data.manifest import read_manifest
from recsweep.data.prepared import (
    SEALED,
    SEALED_ITEMS,
    SEALED_TEST,
    SEALED_USERS,
    read_events,
    verify,
)
from recsweep.data.types import Dataset, Events


def load_sealed(folder: Path) -> Events:
    """The sealed test's events.

    Raises:
        BadInput: a file is missing or was changed since it was prepared.
    """
    verify(folder, read_manifest(folder), [SEALED_TEST])
    return read_events(folder / SEALED_TEST)


def unseal(dataset: Dataset) -> Dataset:
    """The same data set with the test's events, users and items joined to the development's.

    Raises:
        BadInput: a file is missing or was changed since it was prepared.
    """
    folder, test = dataset.folder, load_sealed(dataset.folder)
    names = {"users": SEALED_USERS, "items": SEALED_ITEMS}
    beside = {name.removesuffix(".parquet"): file for name, file in SEALED.items()}
    names |= {name: file for name, file in beside.items() if getattr(dataset, name) is not None}
    verify(folder, read_manifest(folder), names.values())
    tables = {name: pl.read_parquet(folder / file) for name, file in names.items()}
    for name, new in tables.items():
        if (known := getattr(dataset, name)) is not None:
            tables[name] = pl.concat([known, new])
    return replace(
        dataset,
        development=_in_order(dataset.development, test),
        users=tables["users"],
        items=tables["items"],
        n_users=len(tables["users"]),
        n_items=len(tables["items"]),
        user_rows=tables.get("user_rows"),
        item_rows=tables.get("item_rows"),
        word_vectors=tables.get("word_vectors"),
    )


def _in_order(development: Events, test: Events) -> Events:
    def joined(name: str) -> Any:
        parts = getattr(development, name), getattr(test, name)
        return None if parts[0] is None else np.concatenate(parts)

    both = Events(**{field.name: joined(field.name) for field in fields(Events)})
    # Both are in order, and of a learner all of the test is later: only learners have to be brought
    # together.
    return rows_of(both, np.argsort(both.user, kind="stable"))
