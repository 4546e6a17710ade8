"""Raw times as microseconds since 1970 UTC."""

import contextlib
import re
import warnings
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import cast

import polars as pl

from recsweep.config.schema import UNITS
from recsweep.data.clock import microseconds
from recsweep.data.zones import check_zone_names, named_zones
from recsweep.errors import BadInput, one_line

ISO_PATTERNS = tuple(
    f"%Y-%m-%d{time}{zone}"
    for time in (" %H:%M:%S%.f", " %H:%M", "")
    for zone in ("", "%#z")
    if time or not zone
)
MICRO = 10**6
ROUNDED = r"^\s*[+-]?\d\.?(\d*)[eE]\+?(\d+)\s*$"
FARTHEST = 4 * 10**18  # µs; numbers beyond are cut off, so that they count as impossible times


def to_microseconds(column: pl.Series, time_format: str, zone: str | None = None) -> pl.Series:
    """Int64 microseconds; null where a value can't be read as `time_format` or is null.

    A column of Parquet that already is a date or time is taken as it is. A time without a zone is
    one of `zone`, else of UTC: where clocks are put back, the earlier of two moments; a time that
    they skip when they are put forward is null. What is finer than a microsecond is cut off.

    Raises:
        BadInput: `time_format` is no pattern.
    """
    if isinstance(column.dtype, pl.Date | pl.Datetime):
        # A moment with a zone is stored as UTC: its integer is what we want.
        return _placed(
            column.cast(pl.Datetime("us", getattr(column.dtype, "time_zone", None))), zone
        )
    if units := UNITS.get(time_format):
        return _numbers(column, units)
    text = column.cast(pl.String)
    if time_format != "iso":
        return _by_pattern(text, time_format, zone)
    text = text.str.replace(r"^(\d{4}-\d{2}-\d{2})T", "$1 ").str.replace(r" UTC$", "Z")
    return _first_that_fits(text, ISO_PATTERNS, zone)


def check_times(column: pl.Series, path: Path) -> None:
    """Refuse a column of Parquet that can't hold moments.

    Raises:
        BadInput: its type is of durations, times of a day, or too coarse.
    """
    coarse = column.dtype.is_float() and column.dtype != pl.Float64
    if coarse or column.dtype in (pl.Time, pl.Duration, pl.Boolean):
        why = ", which is minutes off at today's times" if coarse else ""
        raise BadInput(
            f"{path}: column {column.name!r} holds {column.dtype}{why}; "
            "write times as Int64, Float64 or timestamps"
        )


def _numbers(column: pl.Series, units: int) -> pl.Series:
    """Times counted in `units` a second: whole numbers exactly, others as float64."""
    whole = column.cast(pl.Int64, strict=False)
    real = column.cast(pl.Float64, strict=False)
    real = real.set(~real.is_finite(), None)
    if column.dtype == pl.String:  # 1.70012E+09 has lost digits
        decimals, power = (column.str.extract(ROUNDED, group) for group in (1, 2))
        lost = (decimals.str.len_chars() < power.cast(pl.Int64)) & (real.abs() < FARTHEST)
        real = real.set(lost.fill_null(False), None)
    if column.dtype.is_float() or column.dtype.is_decimal():
        whole = whole.set(whole.cast(column.dtype, strict=False) != column, None)
    if units > MICRO:
        exact, rounded = whole // (units // MICRO), (real / (units // MICRO)).round()
    else:
        factor = MICRO // units
        limit = FARTHEST // factor
        exact = whole.clip(-limit, limit) * factor
        rounded = (real.clip(-limit, limit) * factor).round()
    return exact.fill_null(rounded.cast(pl.Int64, strict=False))


def _by_pattern(text: pl.Series, pattern: str, zone: str | None) -> pl.Series:
    """Times by a pattern as Python's datetime has it.

    It differs from the parser's in `%f`, decimals of a second however many (the parser: whole
    nanoseconds), in `%z`, which may be a Z, and in `%Z`, which the parser takes no notice of.
    """
    word = check_zone_names(pattern)
    zone = None if word is not None else zone
    variants = dict.fromkeys(_for_parser(pattern, digits) for digits in (3, 6, 9))
    parsed = _first_that_fits(text, variants, zone)
    if len(variants) > 1:
        left = (parsed.is_null() & text.is_not_null()).arg_true()
        values = [_by_python(value, pattern, zone) for value in text.gather(left)]
        parsed = parsed.scatter(left, pl.Series(values, dtype=pl.Int64))
    if "%y" in re.findall(r"%.", pattern):
        parsed = _as_posix(parsed)
    return parsed if word is None else named_zones(parsed, text, word, pattern)


def _as_posix(parsed: pl.Series) -> pl.Series:
    """Of years of two digits, 69 is 1969 to Python and POSIX, and 2069 to the parser."""
    moments = parsed.cast(pl.Datetime("us"))
    late = (moments.dt.year() == 2069).fill_null(False)
    return moments.dt.offset_by("-100y").cast(pl.Int64).zip_with(late, parsed)


def _for_parser(pattern: str, digits: int) -> str:
    ours = {".%f": "%.f", "%f": f"%{digits}f", "%z": "%#z"}
    return re.sub(r"%%|\.?%f|%z", lambda found: ours.get(found[0], found[0]), pattern)


def _by_python(value: str, pattern: str, zone: str | None) -> int | None:
    with contextlib.suppress(ValueError):
        moment = datetime.strptime(value, pattern)
        if moment.tzinfo is not None:
            return microseconds(moment)
        local = pl.Series([moment], dtype=pl.Datetime("us"))
        return cast(int | None, _placed(local, zone)[0])
    return None


def _first_that_fits(text: pl.Series, patterns: Iterable[str], zone: str | None) -> pl.Series:
    parsed = pl.Series(text.name, [None] * len(text), pl.Int64)
    for pattern in patterns:
        left = parsed.is_null() & text.is_not_null()
        if not left.any():
            break
        parsed = parsed.scatter(left.arg_true(), _parse(text.filter(left), pattern, zone))
    return parsed


def _parse(text: pl.Series, pattern: str, zone: str | None) -> pl.Series:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _placed(text.str.to_datetime(pattern, time_unit="us", strict=False), zone)
    except pl.exceptions.PolarsError as error:
        reason = one_line(error)
        raise BadInput(f"time_format {pattern!r}: is not a pattern of times ({reason})") from None


def _placed(time: pl.Series, zone: str | None) -> pl.Series:
    if zone is not None and isinstance(time.dtype, pl.Datetime) and time.dtype.time_zone is None:
        time = time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return time.cast(pl.Int64)
