"""Codes for raw ids, and events in the one order that everything after relies on."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsweep.data.arrays import changes
from recsweep.data.types import BESIDE, Events, Int32


@dataclass(frozen=True, slots=True)
class Indexed:
    """All cleaned events; raw ids by code."""

    events: Events
    users: pl.Series  # row = code
    items: pl.Series
    duplicates: int  # rows taken out: same user, item, time and type as another


def index_events(cleaned: pl.DataFrame) -> Indexed:
    """Give codes in order of first appearance on the clock, ties by raw id as text.

    The order of the raw rows has no say, and later events never change an earlier code.
    """
    users, user = _by_first_appearance(cleaned, "user")
    items, item = _by_first_appearance(cleaned, "item")
    ordered = pl.DataFrame(
        {"user": user, "time": cleaned["time"], "item": item, "kind": cleaned["kind"]}
    )
    # Of duplicates the first stays: the one that lasted longest, was treated, had the best chance.
    beside = {name: -cleaned[name].fill_null(np.nan) for name in BESIDE if name in cleaned.columns}
    ordered = ordered.with_columns(**beside).sort("user", "time", "item", "kind", *beside)
    found = {name: -ordered.drop_in_place(name).to_numpy() for name in beside}
    user, time, item, kind = (column.to_numpy() for column in ordered)
    new = changes(user) | changes(time) | changes(item) | changes(kind)
    kept = {name: column[new] for name, column in found.items()}
    events = Events(user[new], item[new], time[new], kind[new], **kept)
    return Indexed(events, users, items, len(new) - len(events))


def _by_first_appearance(cleaned: pl.DataFrame, column: str) -> tuple[pl.Series, Int32]:
    """Raw ids by code, and the code of every row."""
    raw = pl.col(column)
    known = (
        cleaned.group_by(column)
        .agg(pl.col("time").min())
        .select("time", text=raw.cast(pl.String), physical=raw.to_physical())
        .sort("time", "text")
    )
    physical = known["physical"].to_numpy()
    codes = np.zeros(int(physical.max()) + 1, np.int32)
    codes[physical] = np.arange(len(physical), dtype=np.int32)
    return known["text"].alias(column), codes[cleaned[column].to_physical().to_numpy()]
