"""The written rules that a raw event must pass, each with the count of rows that it took out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsweep.config.schema import EventTable, TimeLimits
from recsweep.data.clock import microseconds
from recsweep.data.reading import as_text
from recsweep.data.times import to_microseconds
from recsweep.data.types import KINDS
from recsweep.errors import BadInput

EXPECTED_TIME = {
    "unix": "seconds since 1970 (time_format: unix)",
    "unix_ms": "milliseconds since 1970 (time_format: unix_ms)",
    "iso": "a time like 2024-05-31 18:30:00 (time_format: iso)",
}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is left of one raw table."""

    events: pl.DataFrame  # user, item: String; time: Int64 µs; kind: Int8 index into KINDS
    dropped: Mapping[str, int]  # rule -> rows
    unmapped: Mapping[str, int]  # raw event types without a meaning, the most frequent five


def needed_columns(table: EventTable) -> list[str]:
    """The raw columns that `clean` takes."""
    return [table.user, table.item, table.time, *([table.type.column] if table.type.column else [])]


def clean(raw: pl.DataFrame, table: EventTable, limits: TimeLimits, path: Path) -> Cleaned:
    """Apply the rules in their written order; a row counts for the first that it breaks.

    Raises:
        BadInput: a time that can't be read, or a column that can't hold ids.
    """
    user, item = (raw_ids(raw[name], path) for name in (table.user, table.item))
    time = _times(raw[table.time], table, path)
    kind, raw_kind = _kinds(raw, table, path)
    earliest, latest = microseconds(limits.earliest), microseconds(limits.latest)
    keep = pl.repeat(True, len(raw), dtype=pl.Boolean, eager=True)
    dropped: dict[str, int] = {}
    for rule, broken in (
        ("no user id", user.is_null()),
        ("no item id", item.is_null()),
        ("no time", time.is_null()),
        ("event type not in the mapping", kind.is_null()),
        ("time outside the limits", ~time.is_between(earliest, latest, closed="left")),
    ):
        dropped[rule] = int((keep & broken).sum())
        keep &= ~broken.fill_null(True)
    events = pl.DataFrame({"user": user, "item": item, "time": time, "kind": kind}).filter(keep)
    return Cleaned(events, dropped, _most_frequent(raw_kind.filter(kind.is_null())))


def raw_ids(column: pl.Series, path: Path) -> pl.Series:
    """Raw ids as text, just as they stand in the file; empty ones are null.

    Raises:
        BadInput: values that are neither text nor whole numbers.
    """
    if column.dtype.is_float() or column.dtype.is_temporal() or column.dtype == pl.Boolean:
        raise BadInput(
            f"{path}: column {column.name!r} holds {column.dtype}; "
            "ids must be text or whole numbers"
        )
    return as_text(column, path)


def _times(column: pl.Series, table: EventTable, path: Path) -> pl.Series:
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        column = as_text(column, path)
    time = to_microseconds(column, table.time_format)
    unread = (time.is_null() & column.is_not_null()).arg_true()
    if len(unread):
        row = int(unread[0])
        expected = EXPECTED_TIME.get(table.time_format, f"a time written {table.time_format!r}")
        raise BadInput(
            f"{path}: row {row + 1}: {column.name} is {column[row]!r}, expected {expected}"
        )
    return time


def _kinds(raw: pl.DataFrame, table: EventTable, path: Path) -> tuple[pl.Series, pl.Series]:
    rule = table.type
    if rule.constant is not None:
        same = pl.repeat(KINDS.index(rule.constant), len(raw), dtype=pl.Int8, eager=True)
        return same, same.cast(pl.String)
    assert rule.column is not None  # the schema: either constant or column
    text = as_text(raw[rule.column], path)
    codes = [KINDS.index(kind) for kind in rule.values.values()]
    kind = text.replace_strict(list(rule.values), codes, default=None, return_dtype=pl.Int8)
    return kind, text


def _most_frequent(values: pl.Series) -> dict[str, int]:
    frequency = values.fill_null("(empty)").alias("value").value_counts(name="rows")
    frequency = frequency.sort(["rows", "value"], descending=[True, False]).head(5)
    return dict(frequency.iter_rows())
