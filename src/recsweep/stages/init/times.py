"""How a column of times is written."""

import re
from dataclasses import dataclass

import polars as pl

from recsweep.config.schema.event_table import NO_VALUE
from recsweep.data.clock import iso
from recsweep.data.time_formats import ZONE, ZONES, fits, likely_formats
from recsweep.data.times import to_microseconds
from recsweep.errors import BadInput
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers, Question

FIRST = 200  # values that a spreadsheet's marks are looked for in
ROUNDED = re.compile(r"\d(\.\d+)?E\+\d+", re.I)
SERIAL = re.compile(r"[345]\d{4}(\.\d+)?")  # days since 1899-12-30: 1982 to 2064


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """`time_format`, and whether the zone of its times must be told."""

    key: str
    local: bool  # is there a value without a zone?


def find_format(look: Look, name: str, answers: Answers) -> TimeFormat | None:
    """None: the column holds no times.

    Raises:
        BadInput: a spreadsheet spoilt them, or days and months can't be told apart.
    """
    column = look.rows[name]
    if isinstance(column.dtype, pl.Date | pl.Datetime):
        return TimeFormat("iso", getattr(column.dtype, "time_zone", None) is None)
    text = _values(look, name).unique(maintain_order=True)
    readings: dict[tuple[int, ...], str] = {}
    for key in likely_formats(text):
        if fits(text, key):
            readings.setdefault(tuple(to_microseconds(text, key)), key)
    fitting = list(readings.values())
    if not fitting:
        return None
    key = fitting[0] if len(fitting) == 1 else _day_or_month(look, name, fitting, answers)
    zoned = key.endswith(ZONES[1:]) or (key == "iso" and bool(text.str.contains(ZONE).all()))
    return TimeFormat(key, not zoned and not key.startswith("unix"))


def refuse_spoilt(look: Look, name: str) -> None:
    """Times that a spreadsheet rounded or turned into days.

    Raises:
        BadInput: they are so.
    """
    values = look.text(name).head(FIRST)
    for pattern, what in (
        (ROUNDED, "was rounded by a spreadsheet"),
        (SERIAL, "counts days, as spreadsheets do"),
    ):
        if len(values) and all(pattern.fullmatch(value) for value in values):
            raise BadInput(
                f"{look.path}: {name} is {values[0]!r}, which {what}; show the column as "
                "yyyy-mm-dd hh:mm:ss there, and export it again"
            )


def refuse_odd(look: Look, name: str) -> None:
    """A few values that are no times among many that are.

    Raises:
        BadInput: it is so; names the first.
    """
    if look.rows[name].dtype != pl.String:
        return
    text = _values(look, name)
    usual = text.filter(text.str.replace_all(r"\d+", "0").is_in(_usual_shapes(text).implode()))
    for key in likely_formats(usual):
        unread = to_microseconds(look.rows[name].str.strip_chars(), key).is_null()
        odd = (unread & look.rows[name].str.strip_chars().is_in(text.implode())).arg_true()
        if 0 < len(odd) < len(text) / 2:
            row = int(odd[0])
            raise BadInput(
                f"{look.path}: row {row + 1}: {name} is {look.rows[name][row]!r}, and other times "
                f"are {usual[0]!r}; mend the {len(odd)} rows that differ"
            )


def _usual_shapes(text: pl.Series) -> pl.Series:
    return text.str.replace_all(r"\d+", "0").value_counts(sort=True)[text.name][:1]


def _values(look: Look, name: str) -> pl.Series:
    """Without words for no value, which an event table knows by itself."""
    text = look.text(name)
    return text.filter(~text.is_in(NO_VALUE))


def _day_or_month(look: Look, name: str, keys: list[str], answers: Answers) -> str:
    """Which reading is meant? Logs are often in order, and span as little time as they can."""
    text = _values(look, name)
    times = {key: to_microseconds(text, key) for key in keys}
    ordered = [
        k for k, time in times.items() if time.is_sorted() or time.is_sorted(descending=True)
    ]
    if len(ordered) == 1:
        return ordered[0]
    spans = {key: int(time.max()) - int(time.min()) for key, time in times.items()}  # type: ignore[arg-type]
    shortest = min(keys, key=lambda key: spans[key])
    equal = sum(span == spans[shortest] for span in spans.values()) > 1
    readings = " or ".join(f"{iso(int(times[key][0]))[:10]} ({key})" for key in keys)
    return answers.settle(
        Question(
            text=f"Which comes first in {name} of {look.path.name}, the day or the month?",
            why=f"{text[0]!r} may be {readings}",
            options=tuple(keys),
            best=None if equal else shortest,
            remedy="write days as yyyy-mm-dd in the file, or answer the question",
        )
    )
