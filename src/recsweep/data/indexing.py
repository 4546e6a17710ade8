"""Codes for raw ids, and events in the one order that everything after relies on."""

from dataclasses import dataclass

import polars as pl

from recsweep.data.arrays import changes
from recsweep.data.types import Events


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
    users, items = _by_first_appearance(cleaned, "user"), _by_first_appearance(cleaned, "item")
    ordered = (
        cleaned.lazy()
        .join(users.lazy(), on="user", how="left")
        .join(items.lazy(), on="item", how="left")
        .select("user_code", "time", "item_code", "kind")
        .sort("user_code", "time", "item_code", "kind")
        .collect()
    )
    user, time, item, kind = (column.to_numpy() for column in ordered)
    new = changes(user) | changes(time) | changes(item) | changes(kind)
    events = Events(user[new], item[new], time[new], kind[new])
    return Indexed(events, users["user"], items["item"], len(new) - len(events))


def _by_first_appearance(cleaned: pl.DataFrame, column: str) -> pl.DataFrame:
    return (
        cleaned.lazy()
        .group_by(column)
        .agg(pl.col("time").min())
        .sort("time", column)
        .select(column, pl.int_range(pl.len(), dtype=pl.Int32).alias(f"{column}_code"))
        .collect()
    )
