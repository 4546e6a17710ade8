from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from recsweep.config.schema import EventTable, TimeLimits
from recsweep.data.cleaning import (
    Cleaned,
    clean,
    clean_batches,
    needed_columns,
    raw_ids,
    read_times,
    unit_advice,
)
from recsweep.data.types import KINDS
from recsweep.errors import BadInput

LOG = Path("log.csv")
ANY_TIME = TimeLimits(earliest=datetime(1970, 1, 1, tzinfo=UTC))


def table(**changes: object) -> EventTable:
    return EventTable.model_validate(
        {"path": "log.csv", "user": "u", "item": "i", "time": "t", **changes}
    )


def cleaned(
    u: list[object],
    i: list[object],
    t: list[object],
    k: list[object] | None = None,
    **changes: object,
) -> Cleaned:
    raw = pl.DataFrame({"u": u, "i": i, "t": t, "k": k or [None] * len(u)}, strict=False)
    return clean([raw], table(**changes), ANY_TIME, LOG)


def test_a_clean_log_passes_whole_and_every_rule_reports_zero() -> None:
    found = cleaned(["1", "2"], ["a", "b"], ["5", "6"])
    assert found.events.rows() == [("1", "a", 5_000_000, 0), ("2", "b", 6_000_000, 0)]
    assert set(found.dropped.values()) == {0}
    assert len(found.dropped) == 5
    assert (found.rows, found.unmapped, found.outside) == (2, {}, None)
    assert found.events.dtypes == [pl.Categorical, pl.Categorical, pl.Int64, pl.Int8]


def test_missing_and_blank_ids_are_dropped_and_counted() -> None:
    found = cleaned([None, " ", "1", "1"], ["a", "a", "", "b"], ["5"] * 4)
    assert found.events["item"].to_list() == ["b"]
    assert found.dropped["no user id"] == 2
    assert found.dropped["no item id"] == 1


@pytest.mark.parametrize(
    "word",
    [
        *("nan", "NaN", "NULL", "null", "None", r"\N", "-1", " NULL ", "<NA>", "#N/A", "(null)"),
        *("NaT", "-1.0", "-nan", "[NULL]", "#NULL!", "#NA", "#N/A N/A", "1.#QNAN"),
    ],
)
def test_words_for_no_value_are_no_ids(word: str) -> None:
    found = cleaned([word, "1", "1"], ["a", word, "b"], ["5"] * 3)
    assert found.events.rows() == [("1", "b", 5_000_000, 0)]
    assert (found.dropped["no user id"], found.dropped["no item id"]) == (1, 1)


def test_a_number_that_stands_for_no_value_is_no_id_in_parquet_either() -> None:
    found = cleaned([-1, 0, 10], [7, -1, 8], [5, 5, 5])
    assert found.events.rows() == [("10", "8", 5_000_000, 0)]
    assert (found.dropped["no user id"], found.dropped["no item id"]) == (1, 1)


def test_which_words_are_no_value_can_be_declared() -> None:
    found = cleaned(["NULL", "anonymous", "-1"], ["a"] * 3, ["5"] * 3, missing=["anonymous"])
    assert found.events["user"].to_list() == ["NULL", "-1"]
    assert found.dropped["no user id"] == 1


def test_a_time_that_is_a_word_for_no_value_is_none_and_a_number_is_a_number() -> None:
    found = cleaned(["1"] * 4, ["a"] * 4, ["NULL", r"\N", "-1", "5"])
    assert (found.dropped["no time"], found.dropped["time outside the limits"]) == (2, 1)
    assert (
        cleaned(["1"], ["a"], ["NaT"], missing=["NaT"], time_format="iso").dropped["no time"] == 1
    )


def test_a_dwell_that_is_a_word_for_no_value_is_not_known() -> None:
    raw = pl.DataFrame({"u": ["1"] * 3, "i": ["a"] * 3, "t": ["5"] * 3, "d": ["NULL", "nan", "7"]})
    found = clean([raw], table(dwell="d"), ANY_TIME, LOG)
    assert found.events["dwell"].to_list() == [None, None, 7]


def test_a_row_counts_for_the_first_rule_that_it_breaks() -> None:
    found = cleaned([None, "1"], [None, "a"], [None, "5"])
    assert found.dropped["no user id"] == 1
    assert sum(found.dropped.values()) == 1


def test_a_missing_time_is_dropped_but_an_unreadable_one_is_refused_with_its_row() -> None:
    assert cleaned(["1", "2"], ["a", "a"], [None, "5"]).dropped["no time"] == 1
    with pytest.raises(BadInput, match=r"log\.csv: row 2: t is 'soon', expected seconds since"):
        cleaned(["1", "2"], ["a", "a"], ["5", "soon"])
    with pytest.raises(BadInput, match="expected a time written '%d/%m/%Y'"):
        cleaned(["1"], ["a"], ["2020-01-01"], time_format="%d/%m/%Y")


def test_event_types_are_mapped_and_the_others_dropped_and_named() -> None:
    found = cleaned(
        ["1"] * 5,
        ["a"] * 5,
        ["5"] * 5,
        ["buy", "ad", "ad", None, "view"],
        type={"column": "k", "values": {"buy": "purchase", "view": "browse"}},
    )
    kinds = [KINDS[kind] for kind in found.events["kind"].to_list()]
    assert kinds == ["purchase", "browse"]
    assert found.dropped["event type not in the mapping"] == 3
    assert found.unmapped == {"ad": 2, "(empty)": 1}


def test_whole_numbers_may_be_event_types() -> None:
    rule = {"column": "k", "values": {"1": "favourite"}}
    found = cleaned(["1"], ["a"], ["5"], [1], type=rule)
    assert found.events["kind"].to_list() == [KINDS.index("favourite")]


def test_times_outside_the_limits_are_dropped_and_the_limits_are_half_open() -> None:
    limits = TimeLimits(
        earliest=datetime(1970, 1, 1, tzinfo=UTC), latest=datetime(1970, 1, 1, 0, 1)
    )
    raw = pl.DataFrame({"u": ["1"] * 4, "i": ["a"] * 4, "t": ["-1", "0", "59.999999", "60"]})
    found = clean([raw], table(), limits, LOG)
    assert found.events["time"].to_list() == [0, 59_999_999]
    assert found.dropped["time outside the limits"] == 2


def test_the_first_time_outside_the_limits_tells_which_unit_would_fit() -> None:
    limits = TimeLimits(earliest=datetime(2000, 1, 1, tzinfo=UTC))
    inside, in_milliseconds = "1700000000", "1700000000000"
    for times, told in (
        ([inside, in_milliseconds, "5"], "; set time_format: unix_ms, in which they are inside"),
        ([inside, "5", in_milliseconds], ""),
        ([inside], ""),
    ):
        n = len(times)
        raw = pl.DataFrame({"u": ["1"] * n, "i": ["a"] * n, "t": times})
        found = clean([raw], table(), limits, LOG)
        assert found.outside == (None if n == 1 else float(times[1]))
        assert unit_advice(found, table(), limits).startswith(told)
        assert bool(unit_advice(found, table(), limits)) == bool(told)


def test_times_of_parquet_may_be_numbers_with_decimals_and_no_lists() -> None:
    assert cleaned(["1"], ["a"], [1_700_000_000.0]).events["time"].to_list() == [17 * 10**14]
    with pytest.raises(BadInput, match="column 't' holds List"):
        cleaned(["1"], ["a"], [[5]])


def test_ids_of_parquet_may_be_whole_numbers_but_not_decimals_or_times() -> None:
    assert cleaned([7, 8], ["a", "b"], [5, 6]).events["user"].to_list() == ["7", "8"]
    with pytest.raises(BadInput, match="column 'u' holds Float64; ids must be text or whole"):
        cleaned([7.0], ["a"], [5])
    with pytest.raises(BadInput, match="column 'i' holds List"):
        cleaned([7], [["a"]], [5])


def test_only_the_columns_in_use_are_needed() -> None:
    assert needed_columns(table()) == ["u", "i", "t"]
    rule = {"column": "k", "values": {"x": "browse"}}
    assert needed_columns(table(type=rule)) == ["u", "i", "t", "k"]


def test_a_log_in_batches_is_cleaned_as_it_is_in_one() -> None:
    raw = pl.DataFrame(
        {
            "u": ["1", None, "2", "1", "3", "2", "1"],
            "i": ["a", "b", "", "c", "a", "b", "a"],
            "t": ["5", "6", "7", "8", None, "9", "5"],
            "k": ["x", "x", "x", "?", "x", "!", "?"],
        }
    )
    described = table(type={"column": "k", "values": {"x": "browse"}})
    whole = clean([raw], described, ANY_TIME, LOG)
    parts = clean([raw[:3], raw[3:4], raw[4:4], raw[4:]], described, ANY_TIME, LOG)
    assert parts.events.equals(whole.events)
    assert (parts.rows, parts.dropped) == (whole.rows, whole.dropped)
    assert list(parts.unmapped.items()) == list(whole.unmapped.items()) == [("?", 2), ("!", 1)]


def test_an_unreadable_time_is_named_by_its_row_in_the_whole_table() -> None:
    raw = pl.DataFrame({"u": ["1"] * 3, "i": ["a"] * 3, "t": ["5", "6", "soon"]})
    with pytest.raises(BadInput, match="row 3: t is 'soon'"):
        clean([raw[:2], raw[2:]], table(), ANY_TIME, LOG)


def test_a_dwell_that_is_empty_negative_or_endless_is_not_known() -> None:
    found = cleaned(["1"] * 4, ["a"] * 4, ["5"] * 4, ["2.5", None, "-1", "inf"], dwell="k")
    assert found.events["dwell"].to_list() == [2.5, None, None, None]


def test_a_dwell_that_is_no_number_is_refused_with_its_row() -> None:
    with pytest.raises(BadInput, match=r"row 2: k is 'long', expected a number of seconds"):
        cleaned(["1"] * 2, ["a"] * 2, ["5"] * 2, ["2", "long"], dwell="k")


def test_a_dwell_of_no_seconds_is_known() -> None:
    found = cleaned(["1"] * 2, ["a"] * 2, ["5"] * 2, ["0", "-0.5"], dwell="k")
    assert found.events["dwell"].to_list() == [0, None]
    assert found.events["dwell"].dtype == pl.Float32


def test_an_unreadable_dwell_is_named_by_its_row_in_the_whole_table() -> None:
    raw = pl.DataFrame({"u": ["1"] * 3, "i": ["a"] * 3, "t": ["5"] * 3, "d": ["1", "2", "long"]})
    with pytest.raises(BadInput, match="row 3: d is 'long'"):
        clean([raw[:2], raw[2:]], table(dwell="d"), ANY_TIME, LOG)


def test_where_rows_are_the_order_every_row_has_the_earliest_time() -> None:
    raw = pl.DataFrame({"u": ["1", "2"], "i": ["a", "b"]})
    limits = TimeLimits(earliest=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    found = clean([raw], table(time=None, order="row"), limits, LOG)
    assert found.events["time"].to_list() == [1_000_000] * 2
    assert (found.dropped["time outside the limits"], found.outside) == (0, None)


def test_a_constant_type_is_every_events() -> None:
    found = cleaned(["1", "2"], ["a", "b"], ["5", "6"], type={"constant": "purchase"})
    assert found.events["kind"].to_list() == [KINDS.index("purchase")] * 2
    assert found.unmapped == {}


def test_a_session_of_a_learner_is_a_learner_and_one_without_either_is_nobody() -> None:
    found = cleaned(
        ["1", "1", None, "2"], ["a"] * 4, ["5"] * 4, ["7", "8", "7", "NULL"], session="k"
    )
    assert found.events["user"].to_list() == ["1 7", "1 8"]
    assert found.dropped["no user id"] == 2


def test_a_first_time_outside_the_limits_is_found_past_times_that_lack() -> None:
    limits = TimeLimits(earliest=datetime(2000, 1, 1, tzinfo=UTC))
    raw = pl.DataFrame({"u": ["1"] * 4, "i": ["a"] * 4, "t": [None, "1700000000", "5", "6"]})
    assert clean([raw], table(), limits, LOG).outside == 5
    found = clean([raw[:2], raw[2:3], raw[3:]], table(), limits, LOG)
    assert (found.outside, found.dropped["time outside the limits"]) == (5, 2)


def test_a_unit_is_advised_whose_times_are_inside_the_half_open_limits() -> None:
    limits = TimeLimits(
        earliest=datetime(2000, 1, 1, tzinfo=UTC), latest=datetime(2020, 1, 1, tzinfo=UTC)
    )
    nothing = cleaned([], [], [])

    def told(outside: float, **keys: object) -> str:
        return unit_advice(replace(nothing, outside=outside), table(**keys), limits)

    first, last = 946_684_800_000.0, 1_577_836_800_000.0
    assert told(first) == "; set time_format: unix_ms, in which they are inside the limits"
    assert told(last) == told(first - 1) == ""
    assert told(last - 1) == told(first)
    assert "set time_format: unix," in told(1e9, time_format="unix_ms")
    assert "set time_format: unix_us," in told(1e15)
    assert told(1e9, time_format="%Y%m%d") == told(20_240_101, time_format="%Y%m%d") == ""
    assert unit_advice(nothing, table(), limits) == ""


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pl.Series("u", [1.0]), "Float64"),
        (pl.Series("u", [True]), "Boolean"),
        (pl.Series("u", [date(2020, 1, 1)]), "Date"),
    ],
)
def test_what_is_neither_text_nor_whole_number_is_no_id(column: pl.Series, kind: str) -> None:
    with pytest.raises(BadInput, match=f"^log.csv: column 'u' holds {kind}; ids must be text or"):
        raw_ids(column, LOG)


def test_ids_stay_as_they_stand_in_the_file() -> None:
    assert raw_ids(pl.Series("u", [" a", "007", "", "NULL"]), LOG).to_list() == [
        *(" a", "007", None, "NULL")
    ]
    assert raw_ids(pl.Series("u", ["a", " x "]), LOG, ["x"]).to_list() == ["a", None]


def test_a_time_that_cant_be_read_is_named_with_what_would_read_it() -> None:
    times = pl.Series("t", ["NULL", "2020-03-29 02:30:00", "25.3.2024", "soon"])
    berlin = table(time_format="iso", timezone="Europe/Berlin")
    with pytest.raises(
        BadInput,
        match=r"row 2: t is .* \(time_format: iso\) that the clocks of Europe/Berlin show",
    ):
        read_times(times, berlin, LOG)
    with pytest.raises(
        BadInput, match=r"row 13: t is '25\.3\.2024'.*set time_format: '%d\.%m\.%Y'"
    ):
        read_times(times, table(time_format="iso"), LOG, 10)
    assert read_times(times[:1], berlin, LOG).to_list() == [None]


def test_a_table_with_a_treatment_has_its_columns_from_the_first_batch_on() -> None:
    described = table(dwell="d", treatment={"column": "g", "treated": ["m"], "propensity": "p"})
    raw = pl.DataFrame(
        {"u": ["1", "2"], "i": ["a", "b"], "t": ["5", "6"], "d": ["1", ""], "g": ["m", "n"],
         "p": ["0.25", "0.5"]}
    )  # fmt: skip
    parts = list(clean_batches([raw], described, ANY_TIME, LOG))
    assert [part.rows for part in parts] == [0, 2]
    assert parts[0].events.schema == parts[1].events.schema
    assert parts[1].events.rows() == [("1", "a", 5 * 10**6, 0, 1.0, 1.0, 0.25),
                                      ("2", "b", 6 * 10**6, 0, None, 0.0, 0.5)]  # fmt: skip
    assert needed_columns(described) == ["u", "i", "t", "d", "g", "p"]
    assert needed_columns(table(session="u", dwell="t")) == ["u", "i", "t"]
    without = table(treatment={"column": "g", "treated": ["m"]})
    assert clean([raw], without, ANY_TIME, LOG).events.columns[4:] == ["treated"]


def test_a_written_time_outside_the_limits_is_dropped_and_tells_of_no_unit() -> None:
    found = cleaned(["1"], ["a"], ["1960-01-01"], time_format="iso")
    assert (found.dropped["time outside the limits"], found.outside) == (1, None)


def test_types_without_a_meaning_that_are_as_frequent_are_named_in_alphabetical_order() -> None:
    rule = {"column": "k", "values": {"x": "browse"}}
    kinds = [*"cab", "b"]
    raw = pl.DataFrame({"u": ["1"] * 4, "i": ["a"] * 4, "t": ["5"] * 4, "k": kinds})
    found = clean([raw[:1], raw[1:2], raw[2:]], table(type=rule), ANY_TIME, LOG)
    assert list(found.unmapped) == ["b", "a", "c"]


def test_a_column_that_holds_times_already_is_taken_as_it_is_whatever_the_format() -> None:
    found = cleaned(["1"], ["a"], [datetime(1970, 1, 1, 0, 0, 3)], time_format="unix")
    assert found.events["time"].to_list() == [3_000_000]
