from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from recsweep.config.schema import FeatureTable
from recsweep.data.manifest import FeatureRows
from recsweep.data.tables import FeatureRead, bare_table, feature_table, known_text
from recsweep.errors import BadInput

Write = Callable[..., Path]
COLUMNS = "id,level,hours,topics"
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
    path = write(f"id,level,hours,topics\n{found},e,1,x\nthird,e,1,x\n")
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


def dated(path: Path, ids: list[str], **keys: object) -> FeatureRead:
    declared = FeatureTable.model_validate({"path": "x", **ALL, "valid_from": "since", **keys})
    return feature_table(declared, path, pl.Series(ids))


def test_every_row_of_a_table_is_counted_where_it_went(write: Write) -> None:
    """Six rows of the log's two learners, two of others, two of nobody, one without a time."""
    rows = [
        *("a,e,1,x,2020-01-02", "a,e,1,x,2020-01-02", "a,h,1,x,2021-01-02", "b,e,1,x,2020-01-02"),
        *("b,e,1,x,", "a,e,1,x,2022-01-01", "y,e,1,x,2020-01-02", "z,e,1,x,2020-01-02"),
        *(",e,1,x,2020-01-02", ",e,1,x,"),
    ]
    read = dated(write("\n".join([f"{COLUMNS},since", *rows]) + "\n"), ["a", "b", "new"])
    assert read.counts == FeatureRows(
        path="x", rows=10, without_id=2, repeated=1, without_event=2, ids=3, ids_without_row=1,
        without_time=1,
    )  # fmt: skip
    assert read.rows is not None
    assert read.rows["_id"].to_list() == ["a", "a", "a", "b", "y", "z"]
    assert read.rows.columns == ["_id", "_valid_from", "level", "hours", "topics"]
    assert read.rows["_valid_from"].dtype == pl.Int64


def test_a_label_of_a_dated_table_is_the_latest(write: Write) -> None:
    text = f"{COLUMNS},since,name\na,e,1,x,2021-01-02,New\na,e,1,x,2020-01-02,Old\n"
    read = dated(write(text), ["b", "a"], label="name")
    assert read.by_code.rows() == [("b", None), ("a", "New")]
    assert read.rows is not None
    times = read.rows["_valid_from"]
    assert times.to_list() == [1_577_923_200_000_000, 1_609_545_600_000_000]
    assert "_label" not in read.rows.columns


def since(read: FeatureRead) -> list[object]:
    assert read.rows is not None
    return read.rows["_valid_from"].to_list()


def test_times_of_a_dated_table_are_in_its_format_and_zone(write: Write) -> None:
    def times(value: str, **keys: object) -> list[object]:
        text = f"{COLUMNS},since\na,e,1,x,{value}\na,e,1,x,2000-01-01\n"
        return since(dated(write(text), ["a"], **keys))

    rest = 946_684_800_000_000
    assert times("2020-01-01 08:00") == [rest, 1_577_865_600_000_000]
    east = times("2020-01-01 08:00", timezone="Asia/Shanghai")
    assert east == [rest - 8 * 3600 * 10**6, 1_577_836_800_000_000]
    assert times("always", missing=["always"]) == [rest]
    with pytest.raises(BadInput, match=r"row 1: since is .*set valid_from_format: '%d\.%m\.%Y'"):
        times("25.3.2024\na,e,1,x,2024/3/25")
    path = write(f"{COLUMNS},since\na,e,1,x,1.5\n")
    assert since(dated(path, ["a"], valid_from_format="unix")) == [1_500_000]


@pytest.mark.parametrize(
    ("value", "kind", "keys"),
    [
        (3, pl.Int64, {"valid_from_format": "unix"}),
        (3.0, pl.Float64, {"valid_from_format": "unix"}),
        (datetime(1970, 1, 1, 0, 0, 3), pl.Datetime, {}),
        (datetime(1970, 1, 1, 0, 0, 3), pl.Datetime, {"valid_from_format": "unix"}),
    ],
)
def test_times_of_parquet_are_numbers_or_moments(
    tmp_path: Path, value: object, kind: type[pl.DataType], keys: dict[str, object]
) -> None:
    path = tmp_path / "items.parquet"
    frame = pl.DataFrame({"id": ["a"], "level": ["e"], "hours": [1], "topics": ["x"]})
    frame.with_columns(pl.Series("since", [value], kind)).write_parquet(path)
    assert since(dated(path, ["a"], format="parquet", **keys)) == [3_000_000]
    frame.with_columns(pl.Series("since", [1.5], pl.Float32)).write_parquet(path)
    with pytest.raises(BadInput, match=r"column 'since' holds Float32, which is minutes off"):
        dated(path, ["a"], format="parquet", valid_from_format="unix")


def test_a_table_of_no_log_is_no_table_of_other_ids(write: Write) -> None:
    read = feature_table(
        FeatureTable.model_validate({"path": "x", **ALL}),
        write(f"{COLUMNS}\na,e,1,x\n"),
        pl.Series([], dtype=pl.String),
    )
    assert read.by_code.is_empty()
    assert read.counts is not None
    assert (read.counts.ids, read.counts.without_event) == (0, 1)


def test_a_name_that_is_declared_once_only_may_be_anything_else(write: Write) -> None:
    path = write("id,level,hours,topics,_label\na,e,1,x,y\n")
    with pytest.raises(BadInput, match="'_label' is declared twice, or is a name kept"):
        table_of(path, ["a"], categorical=["level", "_label"])
    with pytest.raises(BadInput, match="'topics' is declared twice"):
        table_of(path, ["a"], text=["topics"])


def test_tags_are_split_where_the_table_says_and_stripped(write: Write) -> None:
    path = write(f"{COLUMNS}\na,e,1,\"x; 'y' ;; [z];x\"\nb,e,1,;\nc,e,1,\n")
    table, _ = table_of(path, ["a", "b", "c"], tags={"topics": ";"})
    assert table["topics"] == [["x", "y", "z"], None, None]


def test_lists_of_numbers_are_tags_too(tmp_path: Path) -> None:
    path = tmp_path / "items.parquet"
    pl.DataFrame(
        {"id": ["a", "b"], "level": ["e", "e"], "hours": [1, 2], "topics": [[3, 4, 3], [5, None]]}
    ).write_parquet(path)
    table, _ = table_of(path, ["a", "b"], format="parquet", missing=["4"])
    assert table["topics"] == [["3"], ["5"]]


def test_text_is_known_without_spaces_around_it_and_missing_words_are_not() -> None:
    values = pl.Series([" a ", "", " N/A", "n/a", None])
    assert known_text(values, ["N/A"], Path("x")).to_list() == ["a", None, None, "n/a", None]


def test_a_column_of_texts_is_read_as_one(write: Write) -> None:
    path = write("id,about\na, Word for all \nb,\n")
    declared = FeatureTable.model_validate({"path": "x", "key": "id", "text": ["about"]})
    read = feature_table(declared, path, pl.Series(["b", "a"]))
    assert read.by_code["about"].to_list() == [None, "Word for all"]
    assert read.odd_values == ()


def test_marks_among_categories_and_tags_are_pointed_out(write: Write) -> None:
    path = write(f"{COLUMNS}\na,NA,1,x|null\nb,e,2,y\n")
    declared = FeatureTable.model_validate({"path": "x", **ALL})
    odd = feature_table(declared, path, pl.Series(["a"])).odd_values
    assert [line.split(" as values")[0] for line in odd] == [
        "Column 'level' holds 'NA' (1)",
        "Column 'topics' holds 'null' (1)",
    ]
