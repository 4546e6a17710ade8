"""Zones by name: which word of a time is one, and what it does to the time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from recsweep.data.clock import microseconds
from recsweep.data.zones import check_zone_names, named_zones
from recsweep.errors import BadInput

PATTERN = "%Z %Y-%m-%d %H:%M"
WINTER, SUMMER = datetime(2020, 1, 1, 12), datetime(2020, 7, 1, 12)


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("%Y-%m-%d %H:%M", None),
        ("%Y-%m-%d %H:%M %Z", 2),
        (PATTERN, 0),
        ("%a %b %d %H:%M:%S %Z %Y", 4),
        ("%Y-%m-%d %H:%M %z %Z", None),  # an offset says it
        ("%Y-%m-%d%z", None),
        ("%Y-%m-%d 100%%Z", None),  # a sign for per cent, and a Z
    ],
)
def test_a_zones_name_is_a_word_of_the_time(pattern: str, word: int | None) -> None:
    assert check_zone_names(pattern) == word


def test_a_name_that_is_a_part_of_a_word_is_refused() -> None:
    with pytest.raises(BadInput, match=r"^time_format '%H:%M%Z': %Z must have spaces around it"):
        check_zone_names("%H:%M%Z")


def moved(moments: list[datetime | None], texts: list[str | None], word: int = 0) -> list[object]:
    local = [None if moment is None else microseconds(moment) for moment in moments]
    series = pl.Series(local, dtype=pl.Int64)
    return named_zones(series, pl.Series(texts, dtype=pl.String), word, PATTERN).to_list()


def test_every_row_is_moved_by_the_zone_that_it_names() -> None:
    names = ["Europe/Berlin", "UTC", "Asia/Tokyo", "GMT", "UT", "Z", "Europe/Berlin"]
    moments = [WINTER, *[SUMMER] * 6]
    expected = [
        microseconds(moment.replace(tzinfo=ZoneInfo(name if "/" in name else "UTC")))
        for name, moment in zip(names, moments, strict=True)
    ]
    assert moved([*moments], [f"{name} x" for name in names]) == expected
    assert moved([*moments], [f"x  y {name}" for name in names], 2) == expected


def test_a_time_that_was_not_read_stays_so_whatever_its_words_are() -> None:
    assert moved([None, SUMMER], ["CST x", "UTC x"]) == [None, microseconds(SUMMER)]
    assert moved([None], [None]) == [None]
    assert moved([SUMMER], ["x"], 1) == [microseconds(SUMMER)]  # no such word: no zone


def test_of_an_hour_that_comes_twice_the_first_is_taken_and_one_left_out_is_none() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    twice, skipped = datetime(2020, 10, 25, 2, 30), datetime(2020, 3, 29, 2, 30)
    first = microseconds(twice.replace(tzinfo=berlin, fold=0))
    assert moved([twice, skipped], ["Europe/Berlin x"] * 2) == [first, None]


@pytest.mark.parametrize("name", ["CST", "EST", "EST5EDT", "Nowhere/Town", "utc", "Japan"])
def test_what_names_no_one_zone_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match=f"'{name}' is no name of one zone; write an offset and %z"):
        moved([SUMMER], [f"{name} x"])
