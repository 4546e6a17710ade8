"""Names of time zones in raw times, the `%Z` of a pattern."""

import re
from zoneinfo import available_timezones

import polars as pl

from recsweep.errors import BadInput

UTC_NAMES = ("UTC", "GMT", "UT", "Z")


def check_zone_names(pattern: str) -> int | None:
    """Which word of a time is the name of its zone; None: no word, or an offset says it anyway.

    Raises:
        BadInput: the name is a part of a word.
    """
    directives = re.findall(r"%.", pattern)
    if "%Z" not in directives or "%z" in directives:
        return None
    words = pattern.split()
    if "%Z" not in words:
        raise BadInput(f"time_format {pattern!r}: %Z must have spaces around it")
    return words.index("%Z")


def named_zones(local: pl.Series, text: pl.Series, word: int, pattern: str) -> pl.Series:
    """Int64 microseconds UTC from those of a local clock.

    Names are those of the zone database, such as Europe/Berlin. Of an hour that comes twice the
    first is taken, as Python does; a time in an hour that is left out is null.

    Raises:
        BadInput: a name that several zones share, such as CST.
    """
    name = text.str.extract_all(r"\S+").list.get(word, null_on_oob=True)
    name = name.set(local.is_null(), None)
    result = local
    for zone in name.unique().drop_nulls().sort():
        if zone in UTC_NAMES:
            continue
        if "/" not in zone or zone not in available_timezones():
            raise BadInput(
                f"time_format {pattern!r}: {zone!r} is no name of one zone; write an offset and "
                "%z, a name such as Europe/Berlin, or times in UTC"
            )
        moved = local.cast(pl.Datetime("us")).dt.replace_time_zone(
            zone, ambiguous="earliest", non_existent="null"
        )
        result = moved.cast(pl.Int64).zip_with(name.eq_missing(zone), result)
    return result
