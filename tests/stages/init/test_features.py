"""What a column of a table of learners or courses is taken for."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from looks import look_of

from recsweep.config.schema import NumberStyle, Table
from recsweep.stages.init.features import TableColumns, as_keys, find_features
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers
from recsweep.stages.init.style import as_keys as style_keys
from recsweep.stages.init.times import TimeFormat

N = 24
CITIES = ["Bern", "Rome", "Oslo"]


def found(name: str, values: Sequence[str | None], *, several: bool = False) -> TableColumns:
    """Of a table with this column beside its ids, one row each or two."""
    ids = [f"c{n // (2 if several else 1)}" for n in range(len(values))]
    return find_features(look_of({"id": ids, name: values}), "id", Answers(None))


def cycled(*values: str | None) -> list[str | None]:
    return [values[n % len(values)] for n in range(N)]


def numbered(pattern: str) -> list[str]:
    return [pattern.format(n) for n in range(N)]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("city", cycled("Bern", "Rome", "Oslo"), "categorical"),
        ("city", numbered("Town {}"), "left out: nearly every value is another"),
        ("price", numbered("{}.5"), "numeric"),
        ("price", cycled("9", "19", "29"), "numeric"),  # few, but its header says no code
        ("level_id", cycled("1", "2", "3"), "categorical"),
        ("level_id", cycled(*map(str, range(8))), "categorical"),
        ("level_id", cycled(*map(str, range(9))), "numeric"),  # too many for codes
        ("level_id", cycled("1.5", "2", "3"), "numeric"),
        ("title", numbered("Course {}"), "label"),
        ("description", numbered("Lines {}"), "text"),
        ("remark", numbered("a sentence of many signs {}"), "text"),
        ("phone", numbered("0170 {}"), "left out: personal"),
        ("views", numbered("{}0"), "left out: counts what learners did"),
        ("remark", numbered("a word of 18 sign {:02}"), "text"),  # twenty signs
        ("remark", numbered("a word of 1 sign {:02}"), "left out: nearly every"),
        ("city", [f"Town {n % 12}" for n in range(N)], "categorical"),  # each twice
        ("city", [f"Town {n % 13}" for n in range(N)], "left out: nearly every"),
        ("city", ["Bern", "Rome"], "categorical"),  # in a tiny table two are few
        ("city", ["Bern", "Rome", "Oslo"], "left out: nearly every"),
        ("colour", cycled("red", "blue"), "categorical"),
        ("rating", cycled("good", "bad"), "categorical"),  # a word counts nothing
        ("name_code", cycled("1", "2", "3"), "categorical"),  # codes are no titles
        ("started", numbered("17000000{:02}"), "numeric"),  # or any number
        ("about", cycled("[x]", "y", "z"), "categorical"),
        ("colour", cycled("red", "red", None), "left out: always the same"),
        ("colour", cycled(None, "unknown"), "left out: empty"),
        ("started", numbered("2024-03-01 10:{:02}:00"), "left out: a time"),
    ],
)
def test_a_column_is_what_its_values_and_its_header_say(
    name: str, values: Sequence[str | None], kind: str
) -> None:
    columns = found(name, values)
    kinds: dict[str, Sequence[str | None]] = {
        "categorical": columns.categorical,
        "numeric": columns.numeric,
        "text": [] if columns.label == name else columns.text,
        "label": [columns.label],
    }
    if kind.startswith("left out"):
        assert kind.removeprefix("left out: ") in columns.left_out[name]
        assert columns.features == []
    else:
        assert [k for k, names in kinds.items() if name in names] == [kind]
        assert columns.left_out == {}


def test_the_first_title_is_the_label_and_both_are_texts() -> None:
    look = look_of({"id": numbered("c{}"), "title": numbered("A {}"), "name": numbered("B {}")})
    columns = find_features(look, "id", Answers(None))
    assert (columns.label, columns.text) == ("title", ["title", "name"])


def test_counts_are_features_where_rows_are_dated() -> None:
    assert found("views", numbered("{}0"), several=True).numeric == ["views"]


@pytest.mark.parametrize(
    ("values", "sign"),
    [
        (cycled("a|b", "b|c", "a|c"), "|"),
        (cycled("a, b", "b, c", "a, c"), ","),
        (cycled("['a', 'b']", "['b']", "['c']"), ","),
        (["a/b", "b", "c", "c", "a"] * 2, "/"),  # in a fifth of all values
        (cycled("a/b", "b", "c", "c", "a", "d"), None),
        (numbered("x{0}|y{0}"), None),  # words that nobody shares
        (["a|b", "c"], "|"),  # in a tiny table three words are few
        (["a|b", "c|d", "a"], None),
        (["a|b", "c|d", "a|b", "c|d"], "|"),  # four of eight
        (["a|b", "c|d", "a|b", "c"], None),  # four of seven
        (["a|b|c", "d|e"] * 6, None),  # more words than parts of two for each value
        (["|".join(("a" * 20, "b" * 20)), "b" * 20] * 6, "|"),
        (["|".join(("a" * 20, "b" * 21)), "b" * 20] * 6, None),
        (cycled("a sentence that is long, and another one that is long as well"), None),
    ],
)
def test_tags_are_few_short_words_that_come_again_between_signs(
    values: Sequence[str], sign: str | None
) -> None:
    assert found("about", values).tags.get("about") == sign


def typed(**columns: pl.Series) -> Look:
    """A look at a file whose columns have types."""
    return Look(Table(path="a.parquet", format="parquet"), Path("a.parquet"), pl.DataFrame(columns))


def test_columns_of_types_are_what_their_types_say() -> None:
    look = typed(
        id=pl.Series(["c1", "c2", "c3"]),
        tags=pl.Series([["a", "b"], [], None], dtype=pl.List(pl.String)),
        day=pl.Series([date(2024, 3, 1), date(2024, 3, 2), None]),
        never=pl.Series([None] * 3, dtype=pl.Date),
    )
    columns = find_features(look, "id", Answers(None))
    assert columns.tags == {"tags": ","}
    assert columns.left_out == {"day": "a time", "never": "empty"}
    assert columns.features == ["tags"]


def test_without_a_column_of_ids_all_are_features_but_counts_and_columns_without_a_name() -> None:
    rows: dict[str, Sequence[str | None]] = {
        "level": cycled("easy", "hard"), "pages": numbered("{}"), "about": cycled("a|b", "b|c"),
        "intro": numbered("Lines {}"), "views": numbered("{}0"), " ": cycled("x", "y"),
    }  # fmt: skip
    columns = find_features(look_of(rows), None, Answers(None))
    assert columns.features == ["level", "pages", "about", "intro"]
    assert set(columns.left_out) == {"views"}


@pytest.mark.parametrize(
    ("ids", "dated"),
    [
        (["a", "a", *"bcdef"], True),  # one id of many has two rows
        ([None, None, *"abcde"], False),
    ],
)
def test_rows_are_dated_where_an_id_has_several_of_them(ids: list[str | None], dated: bool) -> None:
    look = look_of({"id": ids, "views": [f"{n}0" for n in range(len(ids))]})
    assert (find_features(look, "id", Answers(None)).numeric == ["views"]) is dated


def test_words_for_no_value_are_told_once_and_in_order() -> None:
    look = look_of(
        {
            "id": numbered("c{}"),
            "city": cycled("Bern", "unknown", "Rome", "-"),
            "price": ["-", "未知", *(f"{n}.5" for n in range(N - 2))],
        }
    )
    columns = find_features(look, "id", Answers(None))
    assert (columns.categorical, columns.numeric) == (["city"], ["price"])
    assert columns.missing == ["-", "unknown", "未知"]
    assert as_keys(columns) == {
        "categorical": ["city"],
        "numeric": ["price"],
        "missing": ["", "-", "unknown", "未知"],
    }


def test_keys_are_of_what_there_is() -> None:
    assert as_keys(TableColumns()) == {}
    columns = TableColumns("a", ["b"], ["c"], {"d": "|"}, ["a"])
    assert as_keys(columns) == {
        "label": "a", "categorical": ["b"], "numeric": ["c"], "tags": {"d": "|"}, "text": ["a"],
    }  # fmt: skip


def test_numbers_are_read_in_a_style_that_has_no_more_than_its_features_need() -> None:
    look = look_of({"id": numbered("c{}"), "price": numbered("{}.5"), "views": numbered("¥{}0")})
    columns = find_features(look, "id", Answers(None))
    assert (columns.numeric, set(columns.left_out)) == (["price"], {"views"})
    assert columns.style == NumberStyle()


@pytest.mark.parametrize(("separator", "decimal"), [(";", ","), ("|", None)])
def test_where_a_semicolon_separates_a_comma_is_the_decimal_sign(
    separator: str, decimal: str | None
) -> None:
    rows = {"id": numbered("c{}"), "price": numbered("{},125")}
    columns = find_features(look_of(rows, separator=separator), "id", Answers(None))
    assert columns.numeric == ["price"]
    assert style_keys(columns.style).get("decimal") == decimal


def test_numbers_count_seconds_where_the_header_speaks_of_a_time() -> None:
    columns = found("created_at", numbered("17000000{:02}"))
    assert columns.since_format == TimeFormat("unix", local=False)


@pytest.mark.parametrize(
    ("header", "since"), [("valid_from", True), ("created_at", True), ("birthday", False)]
)
def test_the_time_that_a_row_is_known_from_is_named_so(header: str, since: bool) -> None:
    columns = found(header, numbered("2024-03-01 10:{:02}:00"))
    assert columns.since == (header if since else None)
    assert (columns.since_format is not None) is since
    assert (header in columns.left_out) is not since


def test_of_two_times_the_one_of_a_change_goes_before_that_of_a_beginning() -> None:
    times = numbered("2024-03-01 10:{:02}:00")
    look = look_of({"id": numbered("c{}"), "created_at": times, "updated_at": times})
    columns = find_features(look, "id", Answers(None))
    assert columns.since == "updated_at"
    assert columns.left_out == {"created_at": "a time"}


def test_of_two_times_of_changes_the_first_is_taken() -> None:
    times = numbered("2024-03-01 10:{:02}:00")
    look = look_of({"id": numbered("c{}"), "changed_at": times, "updated_at": times})
    columns = find_features(look, "id", Answers(None))
    assert (columns.since, columns.left_out) == ("changed_at", {"updated_at": "a time"})


def test_a_column_that_speaks_of_a_change_and_holds_no_times_is_no_time() -> None:
    times, people = numbered("2024-03-01 10:{:02}:00"), numbered("Person {}")
    look = look_of({"id": numbered("c{}"), "updated_by": people, "created_at": times})
    columns = find_features(look, "id", Answers(None))
    assert columns.since == "created_at"
    assert columns.left_out == {"updated_by": "nearly every value is another"}
