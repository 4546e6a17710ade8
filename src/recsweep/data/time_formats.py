"""Formats that raw times may be in: for a first look at a file, and for advice in errors."""

import re
from datetime import UTC, datetime
from functools import cache
from itertools import product

import polars as pl

from recsweep.config.schema import NO_VALUE, TimeLimits
from recsweep.data.clock import microseconds
from recsweep.data.times import to_microseconds
from recsweep.errors import BadInput

USUAL = 0.9  # share of times inside a log's limits; the others are dropped and counted
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
EXAMPLE = datetime.max.replace(tzinfo=UTC)  # of which only the shape is asked
DIGITS = {10: "unix", 13: "unix_ms", 16: "unix_us", 19: "unix_ns"}


def advice(value: object, key: str) -> str:
    """What to set for a time that `key` does not read; nothing if no format here reads it."""
    text = str(value).strip()
    if text in NO_VALUE or set(re.sub(r"\D", "", text)) == {"0"}:  # 0000-00-00 of MySQL
        return "; if it means 'not known', add it to the table's key missing"
    formats = likely_formats(pl.Series([text]))
    return f"; set {key}: {' or '.join(map(_quoted, formats))} for such times" if formats else ""


def likely_formats(text: pl.Series) -> list[str]:
    """Formats whose first values fit, without those that say the same of others."""
    first = text.head(FIRST)
    if not len(first):
        return []
    if first.str.contains(r"^\d+(\.\d+)?$").all():
        length = first.str.extract(r"^(\d+)").str.len_chars().mode()[0]
        numbers = [key for n, key in DIGITS.items() if length in (n - 1, n) and fits(first, key)]
        compact = ["%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d%H%M"]
        return [*(key for key in compact if fits(first, key)), *numbers][:1]
    if fits(first, "iso"):
        return ["iso"]
    shapes = dict.fromkeys(map(_shape, first))
    patterns = [key for shape in shapes for key in _by_shape().get(shape, [])]
    return [key for key in patterns if fits(first, key)]


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


def fits(text: pl.Series, key: str) -> bool:
    """Does the format read every value, and nearly all as times that a log may hold?"""
    try:
        time = to_microseconds(text, key)
    except BadInput:  # a format that this reader doesn't have
        return False
    limits = TimeLimits()
    earliest, latest = microseconds(limits.earliest), microseconds(limits.latest)
    inside = time.is_between(earliest, latest)
    return not time.has_nulls() and float(inside.mean() or 0) >= USUAL  # type: ignore[arg-type]


def _quoted(pattern: str) -> str:
    return f"'{pattern}'" if "%" in pattern else pattern
