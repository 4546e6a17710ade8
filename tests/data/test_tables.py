from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from recsweep.config.schema import FeatureTable
from recsweep.data.manifest import FeatureRows
from recsweep.data.tables import bare_table, feature_table
from recsweep.errors import BadInput

Write = Callable[..., Path]
ALL = {"key": "id", "categorical": ["level"], "numeric": ["hours"], "tags": {"topics": "|"}}


def table_of(
    path: Path, ids: list[str], **changes: object
) -> tuple[dict[str, list[object]], FeatureRows]:
    declared = FeatureTable.model_validate({"path": str(path), **ALL, **changes})
    read = feature_table(declared, path, pl.Series(ids))
    assert read.counts is not None
    return read.by_code.to_dict(as_series=False), read.counts


def test_rows_come_in_the_order_of_the_codes_and_what_is_unknown_is_null(write: Write) -> None:
    path = write("id,level,hours,topics\nb,easy,2.5,x|y\na,,3,\nz,hard,1,x\n")
    table, rows = table_of(path, ["a", "new", "b"], label="level")
    assert table == {
        "_id": ["a", "new", "b"],
        "_label": [None, None, "easy"],
        "level": [None, None, "easy"],
        "hours": [3.0, None, 2.5],
        "topics": [None, None, ["x", "y"]],
    }
    assert (rows.rows, rows.without_event, rows.ids_without_row) == (3, 1, 1)


def test_declared_values_mean_missing_in_every_kind_of_column(write: Write) -> None:
    path = write("id,level,hours,topics\na,N/A,N/A,x|N/A\nb,N/A,1,N/A\n")
    table, _ = table_of(path, ["a", "b"], missing=["N/A"])
    assert table["level"] == [None, None]
    assert table["hours"] == [None, 1.0]
    assert table["topics"] == [["x"], None]


def test_a_row_whose_id_is_a_mark_for_none_is_of_nobody_unless_the_log_has_that_id(
    write: Write,
) -> None:
    path = write("id,level,hours,topics\na,e,1,x\nNULL,e,1,x\nNULL,h,2,y\n-1,h,3,y\n")
    table, rows = table_of(path, ["a", "-1"])
    assert table["hours"] == [1.0, 3.0]
    assert (rows.without_id, rows.without_event) == (2, 0)


def test_tags_lose_their_brackets_quotes_and_repeats(write: Write) -> None:
    path = write("id,level,hours,topics\na,e,1,\"['Word', 'Power BI', 'Word']\"\nb,e,1,[]\n")
    table, _ = table_of(path, ["a", "b"], tags={"topics": ","})
    assert table["topics"] == [["Word", "Power BI"], None]


def test_an_apostrophe_inside_a_tag_stays(write: Write) -> None:
    path = write("id,level,hours,topics\na,e,1,Children's|Drama\n")
    assert table_of(path, ["a"])[0]["topics"] == [["Children's", "Drama"]]


def test_a_number_that_is_none_is_named_with_its_row(write: Write) -> None:
    path = write("id,level,hours,topics\na,e,1,x\nb,e,two,x\n")
    with pytest.raises(BadInput, match=r"row 2: hours is 'two', expected a number.*missing"):
        table_of(path, ["a"])
    with pytest.raises(BadInput, match=r"row 1: hours is 'inf'"):
        table_of(write("id,level,hours,topics\na,e,inf,x\n"), ["a"])


def test_rows_without_an_id_and_equal_rows_are_dropped_and_counted(write: Write) -> None:
    path = write("id,level,hours,topics\na,e,1,x\n,e,1,x\na,e,1,x\n")
    table, rows = table_of(path, ["a"])
    assert table["_id"] == ["a"]
    assert (rows.without_id, rows.repeated) == (1, 1)


def test_rows_that_contradict_each_other_are_refused(write: Write) -> None:
    path = write("id,level,hours,topics\na,e,1,x\nb,e,1,x\na,hard,1,x\n")
    with pytest.raises(BadInput, match=r"rows 1 and 3 say different things about the id 'a'"):
        table_of(path, ["a"])


def test_a_column_is_declared_once_and_not_by_a_reserved_name(write: Write) -> None:
    path = write("id,level,hours,topics\na,e,1,x\n")
    with pytest.raises(BadInput, match="'hours' is declared twice"):
        table_of(path, ["a"], categorical=["hours"])
    with pytest.raises(BadInput, match="'_id'"):
        table_of(path, ["a"], categorical=["_id"])


def test_parquet_lists_are_tags_and_nan_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    pl.DataFrame(
        {"id": [1, 2], "level": [True, None], "hours": [float("nan"), 2], "topics": [["x"], []]}
    ).write_parquet(path)
    table, _ = table_of(path, ["2", "1"], format="parquet")
    assert table["level"] == [None, "true"]
    assert table["hours"] == [2.0, None]
    assert table["topics"] == [None, ["x"]]


def test_without_a_table_there_are_raw_ids_only() -> None:
    assert bare_table(pl.Series(["a"])).to_dict(as_series=False) == {"_id": ["a"], "_label": [None]}


DATED = (
    "id,level,hours,topics,since\na,e,1,x,2020-01-02\na,hard,2,x,2021-01-01\nz,e,3,,2019-05-01\n"
)


def test_a_dated_table_keeps_every_row_of_every_id_apart_from_the_codes(write: Write) -> None:
    declared = FeatureTable.model_validate({"path": "x", **ALL, "valid_from": "since"})
    read = feature_table(declared, write(DATED), pl.Series(["new", "a"]))
    assert read.by_code.to_dict(as_series=False) == {"_id": ["new", "a"], "_label": [None, None]}
    assert read.rows is not None
    assert read.rows["_id"].to_list() == ["a", "a", "z"]
    assert read.rows["level"].to_list() == ["e", "hard", "e"]
    assert read.rows["_valid_from"].is_sorted() is False
    assert read.counts is not None
    assert (read.counts.without_event, read.counts.ids_without_row) == (1, 1)


def test_an_immutable_table_has_rows_of_all_ids_that_were_always_known(write: Write) -> None:
    declared = FeatureTable.model_validate({"path": "x", **ALL, "immutable": True})
    path = write("id,level,hours,topics\nb,e,1,x\na,e,1,\n")
    read = feature_table(declared, path, pl.Series(["a"]))
    assert read.rows is not None
    assert read.rows.select("_id", "_valid_from").rows() == [("a", None), ("b", None)]


def test_a_row_without_a_time_is_never_known_and_counted(write: Write) -> None:
    declared = FeatureTable.model_validate({"path": "x", **ALL, "valid_from": "since"})
    read = feature_table(declared, write(DATED.replace("2021-01-01", "")), pl.Series(["a"]))
    assert read.rows is not None
    assert len(read.rows) == 2
    assert read.counts is not None
    assert read.counts.without_time == 1


def test_a_time_that_cant_be_read_is_named_with_its_row(write: Write) -> None:
    declared = FeatureTable.model_validate({"path": "x", **ALL, "valid_from": "since"})
    with pytest.raises(BadInput, match=r"row 2: since is 'soon', expected a time written 'iso'"):
        feature_table(declared, write(DATED.replace("2021-01-01", "soon")), pl.Series(["a"]))


def test_rows_of_one_id_and_one_time_must_agree(write: Write) -> None:
    declared = FeatureTable.model_validate({"path": "x", **ALL, "valid_from": "since"})
    with pytest.raises(BadInput, match=r"rows 1 and 2 say different things about the id 'a'"):
        feature_table(declared, write(DATED.replace("2021-01-01", "2020-01-02")), pl.Series(["a"]))


def test_a_table_is_immutable_or_dated_not_both() -> None:
    with pytest.raises(ValueError, match="immutable or valid_from"):
        FeatureTable(path="x", key="id", immutable=True, valid_from="since")


def test_prices_and_counts_are_read_as_the_table_says_they_are_written(write: Write) -> None:
    path = write('id,level,hours,topics\na,e,"¥1,299.00",x\nb,e,免费,x\nc,e,1.2万,x\n')
    style = {"thousands": ",", "currency": ["¥"], "zero": ["免费"], "units": {"万": 10000}}
    assert table_of(path, ["a", "b", "c"], **style)[0]["hours"] == [1299.0, 0.0, 12000.0]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"timezone": "Asia/Shanghai"}, "for times in valid_from that are written out"),
        ({"valid_from": "t", "timezone": "Beijing"}, "'Beijing' is no time zone"),
        ({"decimal": ",", "thousands": ","}, "can't both be ','"),
    ],
)
def test_a_key_that_reaches_nothing_or_contradicts_is_refused(
    keys: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        FeatureTable.model_validate({"path": "x", **ALL, **keys})


@pytest.mark.parametrize(
    ("wanted", "found", "difference"),
    [
        ("c1", "c1 ", "spaces around them"),
        ("C1", "c1", "capitals"),
        ("7", "007", "leading zeros"),
        ("7", "7.0", r"a \.0 at the end"),
    ],
)
def test_a_table_that_knows_no_id_of_the_log_is_refused_with_the_difference(
    write: Write, wanted: str, found: str, difference: str
) -> None:
    path = write(f"id,level,hours,topics\n{found},e,1,x\n")
    message = f"none of the log's 2 ids has a row; .* they are the same but for {difference}$"
    with pytest.raises(BadInput, match=message):
        table_of(path, [wanted, "other"])


def test_a_table_of_other_ids_or_of_none_is_refused(write: Write) -> None:
    path = write("id,level,hours,topics\nx,e,1,x\n")
    with pytest.raises(BadInput, match=r"the log has 'a', the column 'id' has 'x'$"):
        table_of(path, ["a"])
    with pytest.raises(BadInput, match=r"the log has 'a', the column 'id' has none$"):
        table_of(write("id,level,hours,topics\n"), ["a"])
    dated = write("id,level,hours,topics,at\nx,e,1,x,2020-01-01\n")
    with pytest.raises(BadInput, match="none of the log's 1 ids has a row"):
        table_of(dated, ["a"], valid_from="at")
