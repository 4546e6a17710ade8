"""The sealed test. Only the confirmation imports this; an import contract keeps the search out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from recsweep.data.before_cut import rows_of
from recsweep.data.manifest import read_manifest
from recsweep.data.prepared import (
    ITEM_ROWS,
    SEALED,
    SEALED_ITEMS,
    SEALED_TEST,
    SEALED_USERS,
    USER_ROWS,
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
    folder = dataset.folder
    test = load_sealed(folder)
    verify(folder, read_manifest(folder), [SEALED_USERS, SEALED_ITEMS])
    users = _joined(dataset.users, folder / SEALED_USERS)
    items = _joined(dataset.items, folder / SEALED_ITEMS)
    user_rows, item_rows = (
        _with_sealed(rows, folder, SEALED[name])
        for rows, name in ((dataset.user_rows, USER_ROWS), (dataset.item_rows, ITEM_ROWS))
    )
    return replace(
        dataset,
        development=_in_order(dataset.development, test),
        users=users,
        items=items,
        n_users=len(users),
        n_items=len(items),
        user_rows=user_rows,
        item_rows=item_rows,
    )


def _joined(known: pl.DataFrame | None, path: Path) -> pl.DataFrame:
    new = pl.read_parquet(path)
    return new if known is None else pl.concat([known, new])


def _with_sealed(rows: pl.DataFrame | None, folder: Path, name: str) -> pl.DataFrame | None:
    if rows is None:
        return None
    verify(folder, read_manifest(folder), [name])
    return pl.concat([rows, pl.read_parquet(folder / name)])


def _in_order(development: Events, test: Events) -> Events:
    user, item, time, kind = (
        np.concatenate((getattr(development, name), getattr(test, name)))
        for name in ("user", "item", "time", "kind")
    )
    dwell = None
    if development.dwell is not None and test.dwell is not None:
        dwell = np.concatenate((development.dwell, test.dwell))
    # Both are in order, and all of the test is later: only users have to be brought together.
    order = np.argsort(user, kind="stable")
    return rows_of(Events(user, item, time, kind, dwell), order)
