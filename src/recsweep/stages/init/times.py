"""How a column of times is written."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product

import polars as pl

from recsweep.config.schema import TimeLimits
from recsweep.data.clock import iso, microseconds
from recsweep.data.times import to_microseconds
from recsweep.errors import BadInput
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers, Question

FIRST = 200  # values that a pattern must fit before it is tried on all
DATES = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y",
    "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d/%b/%Y",
    "%d-%b-%Y", "%Y%m%d",
)  # fmt: skip
CLOCKS = (
    "%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S,%f", "%H:%M", "%I:%M:%S %p", "%I:%M %p",
    "%H时%M分%S秒", "%H时%M分", "%H%M%S", "%H%M",
)  # fmt: skip
BETWEEN = (" ", "T", ", ", ":", "")  # a date and a clock
ZONES = ("", "%z", " %z", " UTC", " GMT")
ZONE = r"\d(Z|[+-]\d\d:?\d\d)$"
EXAMPLE = datetime(2024, 11, 25, 22, 30, 45, 123456, tzinfo=UTC)
DIGITS = {10: "unix", 13: "unix_ms", 16: "unix_us", 19: "unix_ns"}
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
    text = look.text(name).unique(maintain_order=True)
    readings: dict[tuple[int, ...], str] = {}
    for key in _likely(text):
        if _fits(text, key):
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


def _likely(text: pl.Series) -> list[str]:
    """Formats whose first values fit, without those that say the same of others."""
    first = text.head(FIRST)
    if not len(first):
        return []
    if first.str.contains(r"^\d+(\.\d+)?$").all():
        lengths = first.str.extract(r"^(\d+)").str.len_chars().unique()
        numbers = [key for n, key in DIGITS.items() if set(lengths) <= {n - 1, n}]
        compact = ["%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M"]
        return [*(key for key in compact if _fits(first, key)), *numbers][:1]
    if _fits(first, "iso"):
        return ["iso"]
    shapes = dict.fromkeys(map(_shape, first))
    patterns = [key for shape in shapes for key in _by_shape().get(shape, [])]
    return [key for key in patterns if _fits(first, key)]


@cache
def _by_shape() -> dict[str, list[str]]:
    """Patterns by what their times look like."""
    clocks = ["", *(b + c + z for c, b, z in product(CLOCKS, BETWEEN, ZONES))]
    found: dict[str, list[str]] = {}
    for date, clock in product(DATES, clocks):
        found.setdefault(_shape(EXAMPLE.strftime(date + clock)), []).append(date + clock)
    return found


def _shape(text: str) -> str:
    """`2024/3/5 9:05` and `2024/11/25 22:30` have the same."""
    text = re.sub(r"(?<=\d)(Z|[+-]\d\d:?\d\d)$", "~", text)
    return re.sub(r"\d+", "0", re.sub(r"[A-Za-z]+", "a", text))


def _fits(text: pl.Series, key: str) -> bool:
    try:
        time = to_microseconds(text, key)
    except BadInput:  # a format that this reader doesn't have
        return False
    limits = TimeLimits()
    earliest, latest = microseconds(limits.earliest), microseconds(limits.latest)
    return bool(time.is_between(earliest, latest).fill_null(False).all())


def _day_or_month(look: Look, name: str, keys: list[str], answers: Answers) -> str:
    """Which reading is meant? Logs are often in order, and span as little time as they can."""
    text = look.text(name)
    times = {key: to_microseconds(text, key) for key in keys}
    ordered = [
        k for k, time in times.items() if time.is_sorted() or time.is_sorted(descending=True)
    ]
    if len(ordered) == 1 and text.n_unique() > 2:
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
