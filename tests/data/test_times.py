import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.clock import iso, microseconds
from recsweep.data.times import FARTHEST, check_times, to_microseconds
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


@pytest.mark.parametrize("time_format", ["unix", "unix_ms"])
def test_a_number_that_lost_digits_is_no_time(time_format: str) -> None:
    texts = ["1.70012E+09", "1.7e9", " 1.70012345678e12", "-1.5E+2"]
    assert to_microseconds(pl.Series(texts), time_format).to_list() == [None] * 4
    whole = ["1.700012345e9", "1.700012345000000000e+09", "1.70001234500E+09", "1700012345"]
    assert to_microseconds(pl.Series(whole), "unix").to_list() == [1_700_012_345_000_000] * 4


def test_what_is_no_number_is_null() -> None:
    assert parse(["x", "nan", "inf", "12a", "1_000"], "unix") == [None] * 5


def test_numbers_too_far_away_are_cut_off_rather_than_wrapped() -> None:
    found = parse(["9223372036854775807", "99999999999999999999", "-1e300"], "unix")
    assert found == [FARTHEST, FARTHEST, -FARTHEST]
    for unit in ("unix", "unix_ms", "unix_us"):
        assert parse(["9223372036854775807", str(-FARTHEST - 1)], unit) == [FARTHEST, -FARTHEST]


@given(st.integers(-(10**15), 4 * 10**15))
def test_decimals_of_a_second_come_back_to_the_microsecond(micro: int) -> None:
    sign, whole, rest = "-" * (micro < 0), *divmod(abs(micro), 10**6)
    assert parse([f"{sign}{whole}.{rest:06}"], "unix") == [micro]


@pytest.mark.parametrize("time_format", ["unix", "unix_ms", "unix_us", "unix_ns"])
def test_times_are_whole_microseconds(time_format: str) -> None:
    number = 1_577_836_800_123_456_789
    found = to_microseconds(pl.Series([number, -number, 999]), time_format)
    units = {"unix": 1, "unix_ms": 10**3, "unix_us": 10**6, "unix_ns": 10**9}[time_format]
    exact = [n * 10**6 // units for n in (number, -number, 999)]
    assert found.dtype == pl.Int64
    assert found.to_list() == [min(FARTHEST, max(-FARTHEST, n)) for n in exact]


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4),
    st.sampled_from([("unix", 1), ("unix_ms", 10**3), ("unix_us", 10**6), ("unix_ns", 10**9)]),
)
def test_whole_numbers_of_any_unit_are_exact_until_they_are_cut_off(
    numbers: list[int], unit: tuple[str, int]
) -> None:
    key, units = unit
    exact = [min(FARTHEST, max(-FARTHEST, n * 10**6 // units)) for n in numbers]
    assert parse([*map(str, numbers)], key) == parse([*numbers], key) == exact


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
        "2020-01-01 00:00:00 UTC",
    ],
)
def test_iso_times_are_utc_unless_they_say_otherwise(text: str) -> None:
    assert parse([text], "iso") == [NEW_YEAR]


def test_iso_notations_may_be_mixed_and_bad_ones_are_null() -> None:
    values: list[object] = ["2020-01-01", "2020-13-01", None, "2020-01-01 00:00:01", "soon"]
    assert parse(values, "iso") == [NEW_YEAR, None, None, NEW_YEAR + 1_000_000, None]


def test_a_day_of_iso_has_no_zone_of_its_own() -> None:
    assert parse(["2020-01-01Z", "2020-01-01+02:00"], "iso") == [None, None]


def test_a_pattern_reads_what_it_describes() -> None:
    assert parse(["01/01/2020 00:00"], "%d/%m/%Y %H:%M") == [NEW_YEAR]
    assert parse(["2020-01-01 00:00:00.25"], "%Y-%m-%d %H:%M:%S.%f") == [NEW_YEAR + 250_000]
    assert parse([20200101], "%Y%m%d") == [NEW_YEAR]
    assert parse(["2020-01-01"], "%d/%m/%Y") == [None]


def test_years_of_two_digits_turn_at_69_as_posix_has_it() -> None:
    texts: list[object] = ["01/01/68 00:00", "31/12/69 23:59", "01/01/70 00:00", None]
    expected = [datetime.strptime(str(text), "%d/%m/%y %H:%M") for text in texts[:3]]
    assert parse(texts, "%d/%m/%y %H:%M") == [*map(microseconds, expected), None]


def test_a_pattern_that_gives_no_time_is_refused() -> None:
    with pytest.raises(BadInput, match=r"%H': is not .* both hour and minute"):
        parse(["2020-01-01 00"], "%Y-%m-%d %H")


def test_microseconds_and_nanoseconds_are_whole_numbers_to_the_last_digit() -> None:
    assert parse(["1577836800123456", "1577836800123456.75"], "unix_us") == [
        NEW_YEAR + 123_456,
        NEW_YEAR + 123_457,
    ]
    assert parse([1577836800123456789], "unix_ns") == [NEW_YEAR + 123_456]
    assert parse(["1577836800123456000", "-1", "x.5"], "unix_ns") == [NEW_YEAR + 123_456, -1, None]
    # A neighbour with decimals does not make whole numbers inexact.
    assert parse(["1577836800123456001", "0.5"], "unix_ns") == [NEW_YEAR + 123_456, 0]


@pytest.mark.parametrize(
    ("value", "scale", "time_format", "micro"),
    [
        ("1577836800.250000", 6, "unix", 250_000),
        ("1577836800.000001", 6, "unix", 1),
        ("1577836800250.500", 3, "unix_ms", 250_500),
        ("1577836800", 0, "unix", 0),
        ("1577836800000000001", 0, "unix_ns", 0),
    ],
)
def test_decimals_of_parquet_keep_their_fractions(
    value: str, scale: int, time_format: str, micro: int
) -> None:
    column = pl.Series([Decimal(value)], dtype=pl.Decimal(30, scale))
    assert to_microseconds(column, time_format).to_list() == [NEW_YEAR + micro]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("t", [1.7e9], pl.Float32),
        pl.Series("t", [time(12)], pl.Time),
        pl.Series("t", [timedelta(seconds=5)], pl.Duration),
        pl.Series("t", [True], pl.Boolean),
    ],
)
def test_a_column_that_can_hold_no_moment_is_refused(column: pl.Series) -> None:
    with pytest.raises(
        BadInput, match=r"log\.parquet: column 't' holds .* write times as Int64"
    ) as told:
        check_times(column, Path("log.parquet"))
    assert ("minutes off at today's times" in str(told.value)) == (column.dtype == pl.Float32)


@pytest.mark.parametrize("values", [[1.7e9], [17], ["2020-01-01"], [date(2020, 1, 1)]])
def test_a_column_that_can_hold_moments_is_left_alone(values: list[object]) -> None:
    check_times(pl.Series("t", values), Path("log.parquet"))


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("2020-01-01 00:00:00,250", "%Y-%m-%d %H:%M:%S,%f"),
        ("2020-01-01 00:00:00,25", "%Y-%m-%d %H:%M:%S,%f"),
        ("2020-01-01 00:00:00,250000", "%Y-%m-%d %H:%M:%S,%f"),
        ("2020-01-01 00:00:00,250000000", "%Y-%m-%d %H:%M:%S,%f"),
        ("20200101000000250", "%Y%m%d%H%M%S%f"),
        ("01/Jan/2020:00:00:00:25 +0000", "%d/%b/%Y:%H:%M:%S:%f %z"),
        ("2020-01-01 00:00:00.25 100%f", "%Y-%m-%d %H:%M:%S.%f 100%%f"),
        ("2020-01-01T00:00:00.250Z", "%Y-%m-%dT%H:%M:%S.%f%z"),
    ],
)
def test_decimals_of_a_second_are_decimals_after_whatever_sign(text: str, pattern: str) -> None:
    assert parse([text, None], pattern) == [NEW_YEAR + 250_000, None]


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("2020-01-01 00:00:00 UTC", "%Y-%m-%d %H:%M:%S %Z"),
        ("2020-01-01 01:00:00 Europe/Berlin", "%Y-%m-%d %H:%M:%S %Z"),
        ("Wed Jan  1 08:00:00 Asia/Shanghai 2020", "%a %b %d %H:%M:%S %Z %Y"),
        ("America/Los_Angeles 2019-12-31 16:00", "%Z %Y-%m-%d %H:%M"),
        ("2020-01-01 01:00 +0100 CET", "%Y-%m-%d %H:%M %z %Z"),
    ],
)
def test_a_zone_by_name_is_heeded(text: str, pattern: str) -> None:
    assert parse([text], pattern) == [NEW_YEAR]


def test_zones_by_name_may_differ_from_row_to_row_and_with_the_season() -> None:
    texts: list[object] = ["2020-07-01 12:00 Europe/Berlin", "2020-07-01 12:00 Asia/Tokyo", None]
    zones = [ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")]
    expected = [microseconds(datetime(2020, 7, 1, 12, tzinfo=zone)) for zone in zones]
    assert parse(texts, "%Y-%m-%d %H:%M %Z") == [*expected, None]


def test_of_an_hour_that_comes_twice_the_first_is_taken_and_one_left_out_is_unreadable() -> None:
    pattern, berlin = "%Y-%m-%d %H:%M %Z", ZoneInfo("Europe/Berlin")
    twice = microseconds(datetime(2020, 10, 25, 2, 30, tzinfo=berlin))
    texts: list[object] = ["2020-10-25 02:30 Europe/Berlin", "2020-03-29 02:30 Europe/Berlin"]
    assert parse(texts, pattern) == [twice, None]


@pytest.mark.parametrize("zone", ["PDT", "CEST", "CST", "EST", "UTC+8", "Nowhere/Town"])
def test_a_name_that_several_zones_share_is_refused(zone: str) -> None:
    with pytest.raises(BadInput, match="is no name of one zone; write an offset and %z"):
        parse([f"2020-01-01 00:00 {zone}"], "%Y-%m-%d %H:%M %Z")
    with pytest.raises(BadInput, match="%Z must have spaces around it"):
        parse([f"2020-01-01 00:00{zone}"], "%Y-%m-%d %H:%M%Z")


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


def test_a_part_of_a_second_moves_no_time_to_another_zone() -> None:
    for text, pattern in (
        ("2020-01-01 08:00:00,25", "%Y-%m-%d %H:%M:%S,%f"),
        ("2020-01-01 02:00:00,25 +0200", "%Y-%m-%d %H:%M:%S,%f %z"),
    ):
        found = to_microseconds(pl.Series([text]), pattern, "Asia/Shanghai")
        assert found.to_list() == [NEW_YEAR + 250_000]


def test_a_time_that_the_zones_clocks_skip_is_null() -> None:
    skipped = pl.Series(["2024-03-31 02:30:00"])
    assert to_microseconds(skipped, "iso", "Europe/Berlin").to_list() == [None]


def test_a_column_of_times_takes_the_tables_zone_unless_it_has_one() -> None:
    naive = pl.Series([datetime(2020, 1, 1, 8)])
    assert to_microseconds(naive, "iso", "Asia/Shanghai").to_list() == [NEW_YEAR]
    aware = naive.dt.replace_time_zone("UTC")
    assert to_microseconds(aware, "iso", "Asia/Shanghai").to_list() == [NEW_YEAR + 8 * 3600 * 10**6]
