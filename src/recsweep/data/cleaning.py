"""The written rules that a raw event must pass, each with the count of rows that it took out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from recsweep.config.schema import UNITS, EventTable, TextTable, TimeLimits
from recsweep.data.clock import microseconds
from recsweep.data.reading import as_text, refuse_unread
from recsweep.data.time_formats import advice
from recsweep.data.times import check_times, to_microseconds
from recsweep.data.treatments import read_treatment
from recsweep.data.types import KINDS
from recsweep.errors import BadInput

EXPECTED_TIME = {
    "unix": "seconds since 1970 (time_format: unix)",
    "unix_ms": "milliseconds since 1970 (time_format: unix_ms)",
    "unix_us": "microseconds since 1970 (time_format: unix_us)",
    "unix_ns": "nanoseconds since 1970 (time_format: unix_ns)",
    "iso": "a time like 2024-05-31 18:30:00 (time_format: iso)",
}
RULES = (
    "no user id",
    "no item id",
    "no time",
    "event type not in the mapping",
    "time outside the limits",
)
EVENTS = {"user": pl.Categorical, "item": pl.Categorical, "time": pl.Int64, "kind": pl.Int8}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What is left of one raw table."""

    rows: int  # that were read
    events: pl.DataFrame  # user, item: Categorical; time: Int64 µs; kind: Int8 index into KINDS;
    # if the table has them, dwell: Float32 seconds, treated and propensity; null: not known
    dropped: Mapping[str, int]  # rule -> rows
    unmapped: Mapping[str, int]  # rows by raw event type without a meaning, frequent ones first
    outside: float | None = None  # the first time outside the limits, if it is a number


def needed_columns(table: EventTable) -> list[str]:
    """The raw columns that `clean` takes."""
    others = (table.time, table.session, table.type.column, table.dwell)
    treatment = table.treatment.columns if table.treatment else []
    wanted = [table.user, table.item, *(column for column in others if column), *treatment]
    return list(dict.fromkeys(wanted))


def clean(
    batches: Iterable[pl.DataFrame], table: EventTable, limits: TimeLimits, path: Path
) -> Cleaned:
    """Apply the rules in their written order; a row counts for the first that it breaks.

    Args:
        batches: the raw table's rows, in order. One batch at a time is held as text; of an event
            that stays, 17 bytes are, and 4 of its dwell; 12 of its treatment.
        table: what the columns mean.
        limits: of time.
        path: named in errors.

    Raises:
        BadInput: a time or dwell that can't be read, or a column that can't hold ids.
    """
    return together(list(clean_batches(batches, table, limits, path)))


def clean_batches(
    batches: Iterable[pl.DataFrame], table: EventTable, limits: TimeLimits, path: Path
) -> Iterator[Cleaned]:
    """The same batch by batch; the first that comes is empty.

    Raises:
        BadInput: see `clean`.
    """
    columns: dict[str, Any] = dict(EVENTS)
    if table.dwell:
        columns["dwell"] = pl.Float32
    if table.treatment:
        columns["treated"] = pl.Float32
        columns |= {"propensity": pl.Float64} if table.treatment.propensity else {}
    nothing = pl.DataFrame(schema=columns)
    yield Cleaned(0, nothing, dict.fromkeys(RULES, 0), {})
    row = 0
    for raw in batches:
        yield _clean_batch(raw, table, limits, path, row)
        row += len(raw)


def together(parts: Sequence[Cleaned]) -> Cleaned:
    """What is left of several parts of a table, of which there is one at least."""
    unmapped = sum((Counter(part.unmapped) for part in parts), Counter[str]())
    return Cleaned(
        rows=sum(part.rows for part in parts),
        events=pl.concat([part.events for part in parts]),
        dropped={rule: sum(part.dropped[rule] for part in parts) for rule in RULES},
        unmapped=dict(sorted(unmapped.items(), key=lambda entry: (-entry[1], entry[0]))),
        outside=next((part.outside for part in parts if part.outside is not None), None),
    )


def _clean_batch(
    raw: pl.DataFrame, table: EventTable, limits: TimeLimits, path: Path, first_row: int
) -> Cleaned:
    user, item = (raw_ids(raw[name], path, table.missing) for name in (table.user, table.item))
    if table.session is not None:
        session = raw_ids(raw[table.session], path, table.missing)
        user = pl.select(pl.concat_str(user, session, separator=" ")).to_series()
    kind, raw_kind = _kinds(raw, table, path)
    earliest, latest = microseconds(limits.earliest), microseconds(limits.latest)
    if table.time is None:  # which is later, the order of rows will say
        time = pl.repeat(earliest, len(raw), dtype=pl.Int64, eager=True)
    else:
        time = read_times(raw[table.time], table, path, first_row)
    keep = pl.repeat(True, len(raw), dtype=pl.Boolean, eager=True)
    broken = (
        user.is_null(),
        item.is_null(),
        time.is_null(),
        kind.is_null(),
        ~time.is_between(earliest, latest, closed="left"),
    )
    dropped: dict[str, int] = {}
    for rule, rows in zip(RULES, broken, strict=True):
        dropped[rule] = int((keep & rows).sum())
        keep &= ~rows
    events = pl.DataFrame({"user": user, "item": item, "time": time, "kind": kind}, EVENTS)
    if table.dwell is not None:
        dwell = _seconds(raw[table.dwell], table.missing, path, first_row)
        events = events.with_columns(dwell.alias("dwell"))
    treatment = read_treatment(raw, table.treatment, table.missing, path, first_row)
    events = events.with_columns(**treatment)
    unmapped = _frequency(raw_kind.filter(kind.is_null()))
    number = None
    if table.time is not None:
        outside = raw[table.time].filter(broken[-1]).cast(pl.String)
        number = next(iter(outside.cast(pl.Float64, strict=False)), None)
    return Cleaned(len(raw), events.filter(keep), dropped, unmapped, number)


def unit_advice(cleaned: Cleaned, table: EventTable, limits: TimeLimits) -> str:
    """What to set where times outside the limits would lie inside them in another unit."""
    if table.time_format not in UNITS or cleaned.outside is None:
        return ""
    for name, units in UNITS.items():
        time = cleaned.outside / units * 1e6
        if microseconds(limits.earliest) <= time < microseconds(limits.latest):
            return f"; set time_format: {name}, in which they are inside the limits"
    return ""


def raw_ids(column: pl.Series, path: Path, missing: Sequence[str] = ()) -> pl.Series:
    """Raw ids as text, just as they stand in the file; empty and missing ones are null.

    Raises:
        BadInput: values that are neither text nor whole numbers.
    """
    if column.dtype.is_float() or column.dtype.is_temporal() or column.dtype == pl.Boolean:
        raise BadInput(
            f"{path}: column {column.name!r} holds {column.dtype}; "
            "ids must be text or whole numbers"
        )
    text = as_text(column, path)
    return text.set(_among(text, missing), None)


def read_times(
    column: pl.Series, table: EventTable | TextTable, path: Path, first_row: int = 0
) -> pl.Series:
    """Microseconds since 1970 UTC (Int64); what is missing is null.

    Raises:
        BadInput: a time that can't be read.
    """
    check_times(column, path)
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        column = as_text(column, path)
    time = to_microseconds(column, table.time_format, table.timezone)
    expected = EXPECTED_TIME.get(table.time_format, f"a time written {table.time_format!r}")
    if table.timezone is not None:
        expected += f" that the clocks of {table.timezone} show"
    unread = time.is_null() & column.is_not_null()
    if unread.any():
        unread &= ~_among(column.cast(pl.String), table.missing)
    if unread.any():
        expected += advice(column.filter(unread)[0], "time_format")
    refuse_unread(column, unread, path, expected, first_row)
    return time


def _among(text: pl.Series, missing: Sequence[str]) -> pl.Series:
    return text.str.strip_chars().is_in(missing)


def _seconds(column: pl.Series, missing: Sequence[str], path: Path, first_row: int) -> pl.Series:
    """Seconds spent; what is missing, below zero or not finite is not known."""
    text = as_text(column, path)
    text = text.set(_among(text, missing), None)
    seconds = text.cast(pl.Float32, strict=False)
    expected = "a number of seconds (dwell), or nothing where it is not known"
    unread = seconds.is_null() & text.is_not_null()
    refuse_unread(column, unread, path, expected, first_row)
    return seconds.set(~(seconds.is_finite() & (seconds >= 0)), None)


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


def _frequency(values: pl.Series) -> dict[str, int]:
    frequency = values.fill_null("(empty)").alias("value").value_counts(name="rows")
    return dict(frequency.iter_rows())
