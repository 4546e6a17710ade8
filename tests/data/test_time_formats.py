from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.config.schema import Experiment
from recsweep.data.clock import microseconds
from recsweep.data.prepare import prepare
from recsweep.data.time_formats import FIRST, advice, fits, likely_formats
from recsweep.data.times import to_microseconds
from recsweep.errors import BadInput


@pytest.mark.parametrize(
    ("value", "formats"),
    [
        ("2024-03-25 18:30:00", ["iso"]),
        ("2024-03-25T18:30:00+08:00", ["iso"]),
        ("2024/3/5 9:05", ["%Y/%m/%d %H:%M"]),
        ("25.03.2024", ["%d.%m.%Y"]),
        ("3/25/2024 6:05:00 PM", ["%m/%d/%Y %I:%M:%S %p"]),
        ("2024年3月5日 18:30", ["%Y年%m月%d日 %H:%M"]),
        ("20240325", ["%Y%m%d"]),
        ("20240325183000", ["%Y%m%d%H%M%S"]),
        ("202403251830", ["%Y%m%d%H%M"]),
        ("1711391400123456789", ["unix_ns"]),
        ("978307200000000000", ["unix_ns"]),  # 2001, with a digit less
        ("915148800", ["unix"]),  # 1999, with a digit less
        ("2024/03/25 18:30:00 +0800", ["%Y/%m/%d %H:%M:%S %z"]),
        ("25/Mar/2024:18:30:00+08:00", ["%d/%b/%Y:%H:%M:%S%z"]),
        ("25.03.2024 18:30 UTC", ["%d.%m.%Y %H:%M UTC"]),
        ("2024/25/03", []),
        ("1711391400", ["unix"]),
        ("1711391400.5", ["unix"]),
        ("1711391400123", ["unix_ms"]),
        ("978307200000", ["unix_ms"]),  # 2001, with a digit less
        ("1711391400123456", ["unix_us"]),
        ("978307200000000", ["unix_us"]),
        ("03/04/2024", ["%d/%m/%Y", "%m/%d/%Y"]),
        ("13812345678", []),  # a telephone, not the year 2407
        ("soon", []),
        ("", []),
    ],
)
def test_a_time_is_known_by_how_it_is_written(value: str, formats: list[str]) -> None:
    assert likely_formats(pl.Series([value])) == formats


@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2090, 1, 1)),
    st.sampled_from(["%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%b %d, %Y %H:%M:%S",
                     "%Y-%m-%d %H:%M:%S,%f", "%d/%b/%Y:%H:%M:%S"]),
)  # fmt: skip
def test_whatever_is_found_reads_what_python_wrote(moment: datetime, pattern: str) -> None:
    text = pl.Series([moment.strftime(pattern)])
    fraction = timedelta() if pattern.endswith("%f") else timedelta(microseconds=moment.microsecond)
    expected = microseconds(moment.replace(tzinfo=UTC) - fraction)
    assert expected in [to_microseconds(text, key)[0] for key in likely_formats(text)]


def test_advice_names_the_key_and_quotes_a_pattern() -> None:
    assert advice("2024-03-25", "time_format") == "; set time_format: iso for such times"
    found = advice("25.3.2024", "valid_from_format")
    assert found == "; set valid_from_format: '%d.%m.%Y' for such times"
    assert advice("soon", "time_format") == ""


@pytest.mark.parametrize("value", ["0000-00-00", "0000-00-00 00:00:00", "00/00/0000", "0", "NULL"])
def test_of_what_is_no_time_it_is_said_how_to_call_it_missing(value: str) -> None:
    assert advice(value, "time_format") == (
        "; if it means 'not known', add it to the table's key missing"
    )


def test_prepare_says_which_format_reads_the_times_that_are_there(
    write: Callable[..., Path], experiment_on: Callable[..., Experiment], tmp_path: Path
) -> None:
    path = write("user,item,time,kind\nu,c,2024-03-25 18:30:00,view\n")
    with pytest.raises(BadInput, match=r"row 1: time is .*; set time_format: iso for such times"):
        prepare(experiment_on(path), tmp_path)


def test_a_format_is_one_that_fits_all_of_the_first_values() -> None:
    assert likely_formats(pl.Series(["03/04/2024", "25/04/2024"])) == ["%d/%m/%Y"]
    assert likely_formats(pl.Series(["2024/3/5 9:05", "2024/11/25 22:30"])) == ["%Y/%m/%d %H:%M"]
    assert likely_formats(pl.Series(["03/04/2024", "04/25/2024", "25/04/2024"])) == []
    assert likely_formats(pl.Series([], dtype=pl.String)) == []
    assert likely_formats(pl.Series(["2024-03-25"] * FIRST + ["soon"])) == ["iso"]
    assert likely_formats(pl.Series(["2024-03-25"] * (FIRST - 1) + ["soon"])) == []
    assert likely_formats(pl.Series(["1711391400", "1711391400123", "1711391401"])) == []
    assert likely_formats(pl.Series(["1711391400", "915148800", "1711391401"])) == ["unix"]


def test_nine_times_of_ten_inside_a_logs_limits_are_enough_and_each_must_be_read() -> None:
    inside, outside = "2024-03-25", "1900-01-01"
    assert fits(pl.Series([inside] * 9 + [outside]), "iso")
    assert not fits(pl.Series([inside] * 8 + [outside]), "iso")
    assert not fits(pl.Series([inside] * 99 + ["soon"]), "iso")
    assert fits(pl.Series(["2024-03-25 18"]), "%Y-%m-%d %H") is False  # an hour without minutes
    assert fits(pl.Series([], dtype=pl.String), "iso") is False
    assert not fits(pl.Series([outside]), "iso")


def test_advice_names_every_format_that_reads_the_time() -> None:
    assert advice(" 03/04/2024 ", "time_format") == (
        "; set time_format: '%d/%m/%Y' or '%m/%d/%Y' for such times"
    )
    assert advice(1711391400, "time_format") == "; set time_format: unix for such times"
