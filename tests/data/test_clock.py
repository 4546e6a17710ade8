"""Moments as whole microseconds, against Python's own arithmetic."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.clock import DAY, iso, microseconds

MICROSECOND = timedelta(microseconds=1)


def test_a_moment_without_a_zone_is_utc() -> None:
    for moment in (datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC)):
        assert microseconds(moment) == 1_577_836_800_000_000
    assert microseconds(datetime(1970, 1, 1)) == 0


def test_a_moment_with_a_zone_is_the_moment_that_its_zone_shows() -> None:
    east = timezone(timedelta(hours=8))
    assert microseconds(datetime(2020, 1, 1, 8, tzinfo=east)) == 1_577_836_800_000_000


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))
def test_a_moment_comes_back_from_its_microseconds(moment: datetime) -> None:
    found = microseconds(moment)
    assert type(found) is int
    assert datetime(1970, 1, 1) + found * MICROSECOND == moment
    assert iso(found) == moment.replace(tzinfo=UTC).isoformat()


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (0, "1970-01-01T00:00:00+00:00"),
        (-1, "1969-12-31T23:59:59.999999+00:00"),
        (1_717_180_200_000_000, "2024-05-31T18:30:00+00:00"),
        (1_577_836_800_000_001, "2020-01-01T00:00:00.000001+00:00"),
    ],
)
def test_decimals_of_a_second_are_written_where_there_are_any(time: int, text: str) -> None:
    assert iso(time) == text


def test_a_day_is_a_day_of_microseconds() -> None:
    assert timedelta(days=1) / MICROSECOND == DAY
