"""What a column of a table of learners or courses is taken for."""

from collections.abc import Sequence

import pytest
from looks import look_of

from recsweep.stages.init.features import TableColumns, find_features
from recsweep.stages.init.questions import Answers

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
        (cycled("a/b", "b", "c", "c", "a"), "/"),  # in a fifth of all values
        (cycled("a/b", "b", "c", "c", "a", "d"), None),
        (numbered("x{0}|y{0}"), None),  # words that nobody shares
        (["a|b", "c"], "|"),  # in a tiny table three words are few
        (["a|b", "c|d", "a"], None),
        (cycled("a sentence that is long, and another one that is long as well"), None),
    ],
)
def test_tags_are_few_short_words_that_come_again_between_signs(
    values: Sequence[str], sign: str | None
) -> None:
    assert found("about", values).tags.get("about") == sign


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
