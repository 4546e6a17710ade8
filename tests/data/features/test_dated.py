import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.features.dated import NOTHING, DatedTable, known_of
from recsweep.data.types import Int32

IDS = pl.Series(["b", "a"])


def codes(*values: int) -> Int32:
    return np.array(values, np.int32)


def dated(rows: list[tuple[str, int | None, str]]) -> DatedTable:
    columns = {"_id": pl.String, "_valid_from": pl.Int64, "x": pl.String}
    return known_of(IDS, pl.DataFrame(rows, schema=columns, orient="row"), pl.DataFrame())


def said(known: DatedTable, code: int, at: int) -> str | None:
    row = int(known.rows(codes(code), at)[0])
    return None if row == NOTHING else str(known.table["x"][row])


def test_the_latest_row_that_is_valid_by_then_counts() -> None:
    known = dated([("a", 10, "old"), ("b", 5, "b"), ("a", 20, "new")])
    assert [said(known, 1, at) for at in (9, 10, 19, 20, 99)] == [None, "old", "old", "new", "new"]
    assert [said(known, 0, at) for at in (4, 5)] == [None, "b"]


def test_each_code_may_be_asked_at_a_time_of_its_own() -> None:
    known = dated([("a", 10, "old"), ("a", 20, "new")])
    rows = known.rows(codes(1, 1, 1), np.array([5, 15, 25]))
    assert rows[0] == NOTHING
    assert known.table["x"].gather(rows[1:]).to_list() == ["old", "new"]


def test_a_row_of_an_immutable_table_was_always_known() -> None:
    assert said(dated([("a", None, "always")]), 1, np.iinfo(np.int64).min) == "always"


def test_ids_that_only_the_table_has_get_codes_after_the_logs_in_order_of_ids() -> None:
    known = dated([("z", 10, "z"), ("c", 30, "c"), ("a", 10, "a")])
    assert known.ids.to_list() == ["b", "a", "c", "z"]
    assert known.existing(10).tolist() == [1, 3]
    assert known.existing(30).tolist() == [1, 2, 3]


def test_without_dates_a_row_is_its_code() -> None:
    known = known_of(IDS, None, pl.DataFrame({"_id": IDS, "x": ["one", "two"]}))
    assert known.rows(codes(1, 0), 0).tolist() == [1, 0]
    assert known.table.columns == ["x"]


@given(
    st.lists(st.tuples(st.sampled_from("abz"), st.integers(0, 9)), min_size=1, unique=True),
    st.lists(st.tuples(st.integers(0, 1), st.integers(-1, 10)), min_size=1),
)
def test_lookups_follow_the_plain_definition(
    rows: list[tuple[str, int]], asked: list[tuple[int, int]]
) -> None:
    known = dated([(id_, time, f"{id_}{time}") for id_, time in rows])
    for code, at in asked:
        times = [time for id_, time in rows if id_ == IDS[code] and time <= at]
        assert said(known, code, at) == (f"{IDS[code]}{max(times)}" if times else None)


@pytest.mark.parametrize("later", ["cheap", "dear"])
def test_a_later_row_never_reaches_an_earlier_question(later: str) -> None:
    known = dated([("a", 10, "now"), ("a", 20, later)])
    assert said(known, 1, 19) == "now"


def test_what_is_known_at_a_time_comes_in_order_of_raw_ids() -> None:
    known = dated([("b", 10, "b"), ("a", 10, "a"), ("0", 20, "0")])
    assert known.existing(9).tolist() == []
    assert known.existing(10).tolist() == [1, 0]
    assert known.existing(20).tolist() == [2, 1, 0]
    assert known.existing(20).dtype == np.int32


def test_rows_are_counted_with_dates_and_without() -> None:
    assert dated([("a", 10, "old"), ("a", 20, "new"), ("b", 5, "b")]).n_rows == 3
    assert known_of(IDS, None, pl.DataFrame({"_id": IDS, "x": ["one", "two"]})).n_rows == 2


def test_columns_that_are_no_features_are_left_out() -> None:
    reserved = {"_label": "l", "_text": "t", "_answer": "y", "_group": "g", "_copies": 1}
    rows = pl.DataFrame({"_id": ["a"], "_valid_from": [1], **reserved, "x": ["v"]})
    assert known_of(IDS, rows, pl.DataFrame()).table.columns == ["x"]
    plain = rows.drop("_valid_from")
    assert known_of(IDS[1:], None, plain).table.columns == ["x"]
    assert dated([("a", 1, "x")]).rows(codes(1, 0), 5).tolist() == [0, NOTHING]
