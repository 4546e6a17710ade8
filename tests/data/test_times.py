import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.clock import iso, microseconds
from recsweep.data.times import FARTHEST, to_microseconds
from recsweep.errors import BadInput

NEW_YEAR = 1_577_836_800_000_000  # 2020-01-01 00:00:00 UTC


def parse(values: list[object], time_format: str) -> list[int | None]:
    return to_microseconds(pl.Series(values), time_format).to_list()


def test_unix_seconds_may_have_decimals() -> None:
    assert parse(["1577836800", "1577836800.25", "-1"], "unix") == [
        NEW_YEAR,
        NEW_YEAR + 250_000,
        -1_000_000,
    ]


def test_unix_milliseconds_and_whole_numbers_of_parquet() -> None:
    assert parse(["1577836800000"], "unix_ms") == [NEW_YEAR]
    assert parse([1577836800000], "unix_ms") == [NEW_YEAR]
    assert parse([1577836800.5, None], "unix") == [NEW_YEAR + 500_000, None]


def test_what_is_no_number_is_null() -> None:
    assert parse(["x", "nan", "inf", "12a", "1_000"], "unix") == [None] * 5


def test_numbers_too_far_away_are_cut_off_rather_than_wrapped() -> None:
    found = parse(["9223372036854775807", "99999999999999999999", "-1e300"], "unix")
    assert found == [FARTHEST, FARTHEST, -FARTHEST]
    assert parse(["9223372036854775807"], "unix") == [FARTHEST]


@given(st.integers(-(10**15), 4 * 10**15))
def test_decimals_of_a_second_come_back_to_the_microsecond(time: int) -> None:
    sign, whole, rest = "-" * (time < 0), *divmod(abs(time), 10**6)
    assert parse([f"{sign}{whole}.{rest:06}"], "unix") == [time]


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01",
        "2020-01-01 00:00",
        "2020-01-01T00:00:00",
        "2020-01-01 00:00:00.000",
        "2020-01-01T00:00:00Z",
        "2020-01-01T02:00:00+02:00",
        "2019-12-31 19:00:00-0500",
        "2020-01-01T00:00Z",
    ],
)
def test_iso_times_are_utc_unless_they_say_otherwise(text: str) -> None:
    assert parse([text], "iso") == [NEW_YEAR]


def test_iso_notations_may_be_mixed_and_bad_ones_are_null() -> None:
    values: list[object] = ["2020-01-01", "2020-13-01", None, "2020-01-01 00:00:01", "soon"]
    assert parse(values, "iso") == [NEW_YEAR, None, None, NEW_YEAR + 1_000_000, None]


def test_a_pattern_reads_what_it_describes() -> None:
    assert parse(["01/01/2020 00:00"], "%d/%m/%Y %H:%M") == [NEW_YEAR]
    assert parse(["2020-01-01 00:00:00.25"], "%Y-%m-%d %H:%M:%S.%f") == [NEW_YEAR + 250_000]
    assert parse([20200101], "%Y%m%d") == [NEW_YEAR]
    assert parse(["2020-01-01"], "%d/%m/%Y") == [None]


def test_a_pattern_that_gives_no_time_is_refused() -> None:
    with pytest.raises(BadInput, match="time_format '%Y-%m-%d %H'"):
        parse(["2020-01-01 00"], "%Y-%m-%d %H")


def test_times_of_parquet_are_taken_as_they_are() -> None:
    east = timezone(timedelta(hours=2))
    assert parse([datetime(2020, 1, 1, 2, tzinfo=east)], "iso") == [NEW_YEAR]
    assert parse([datetime(2020, 1, 1)], "unix") == [NEW_YEAR]
    assert parse([date(2020, 1, 1)], "iso") == [NEW_YEAR]


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))
def test_iso_text_of_any_moment_comes_back_to_the_microsecond(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    assert parse([moment.isoformat()], "iso") == [microseconds(moment)]
    assert iso(microseconds(moment)) == moment.isoformat()


def test_a_moment_without_a_zone_is_utc() -> None:
    assert microseconds(datetime(2020, 1, 1)) == NEW_YEAR
    assert iso(NEW_YEAR + 1) == "2020-01-01T00:00:00.000001+00:00"


@pytest.mark.parametrize(
    ("text", "time_format", "zone"),
    [
        ("2024-03-05 18:30:00", "iso", "Asia/Shanghai"),
        ("2024/3/5 18:30", "%Y/%m/%d %H:%M", "Asia/Shanghai"),
        ("05.03.2024 18:30", "%d.%m.%Y %H:%M", "Europe/Berlin"),
        ("2024年3月5日 18:30", "%Y年%m月%d日 %H:%M", "America/New_York"),
        ("2024-10-27 02:30:00", "iso", "Europe/Berlin"),  # twice: the earlier
    ],
)
def test_a_time_without_a_zone_is_one_of_the_tables(text: str, time_format: str, zone: str) -> None:
    numbers = [int(part) for part in re.findall(r"\d+", text)]
    if time_format.startswith("%d"):
        numbers[:3] = reversed(numbers[:3])
    moment = datetime(*numbers, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]
    found = to_microseconds(pl.Series([text]), time_format, zone)
    assert found.to_list() == [microseconds(moment)]


def test_a_written_zone_goes_before_the_tables() -> None:
    texts = pl.Series(["2020-01-01T00:00:00Z", "2020-01-01T08:00:00"])
    assert to_microseconds(texts, "iso", "Asia/Shanghai").to_list() == [NEW_YEAR, NEW_YEAR]


def test_a_time_that_the_zones_clocks_skip_is_null() -> None:
    skipped = pl.Series(["2024-03-31 02:30:00"])
    assert to_microseconds(skipped, "iso", "Europe/Berlin").to_list() == [None]


def test_a_column_of_times_takes_the_tables_zone_unless_it_has_one() -> None:
    naive = pl.Series([datetime(2020, 1, 1, 8)])
    assert to_microseconds(naive, "iso", "Asia/Shanghai").to_list() == [NEW_YEAR]
    aware = naive.dt.replace_time_zone("UTC")
    assert to_microseconds(aware, "iso", "Asia/Shanghai").to_list() == [NEW_YEAR + 8 * 3600 * 10**6]
