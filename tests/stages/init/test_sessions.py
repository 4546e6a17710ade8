"""The label of a table of sessions, and which of its values mean yes."""

import pytest
from looks import look_of

from recsweep.errors import BadInput
from recsweep.stages.init.experiment import Draft, suggested
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.sessions import find_label, find_positive, study_of_sessions


def positive(values: list[str | None]) -> list[str]:
    return find_positive(look_of({"purchased": values}), "purchased", Answers(None))


@pytest.mark.parametrize(
    ("columns", "label"),
    [
        ({"pages": ["1", "2"], "purchased": ["yes", "no"]}, "purchased"),
        ({"purchased": ["yes", "no", "unknown", None]}, "purchased"),  # two that are known
        ({"purchased": ["yes", "yes"]}, None),
        ({"purchased": ["yes", "no", "perhaps"]}, None),
        ({"pages": ["yes", "no"]}, None),
        ({"bought": ["a", "b", "c"], "purchased": ["no", "yes", "no"]}, "purchased"),
        ({"bought": ["0", "1", "0"], "purchased": ["no", "yes", "no"]}, "bought"),
    ],
)
def test_a_label_has_two_answers_and_says_that_something_was_bought(
    columns: dict[str, list[str | None]], label: str | None
) -> None:
    assert find_label(look_of(columns)) == label


def test_the_one_value_that_is_a_word_for_yes_means_it() -> None:
    assert positive(["No", "YES", "No"]) == ["YES"]
    assert positive(["0", "1"]) == ["1"]


@pytest.mark.parametrize("values", [["a", "b", "b"], ["yes", "true", "true"]])
def test_values_that_do_not_tell_are_a_question_with_the_rows_of_each(values: list[str]) -> None:
    least, most = sorted(set(values), key=values.count)
    with pytest.raises(BadInput, match="means that somebody bought") as refused:
        positive([*values])
    assert f"{least!r} in 1 rows" in str(refused.value)
    assert f"{most!r} in 2 rows" in str(refused.value)
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return most

    look = look_of({"purchased": [*values]})
    assert find_positive(look, "purchased", Answers(ask)) == [most]
    assert sorted(asked[0].options) == sorted([least, most])


def test_a_label_without_values_is_refused() -> None:
    with pytest.raises(BadInput, match="the label purchased is empty"):
        positive([None, "unknown"])


def test_sessions_keep_categories_and_numbers_but_no_ids_no_texts_and_not_their_label() -> None:
    n = range(40)
    look = look_of(
        {
            "purchased": [("no", "yes")[k % 2] for k in n],
            "place": [("home", "work", None, "unknown")[k % 4] for k in n],
            "pages": [f"{k % 13}.5" for k in n],
            "shop_id": [str(k % 3) for k in n],
            "tags": [("a|b", "b|c", "a")[k % 3] for k in n],
            "description": [f"Lines {k}" for k in n],
        }
    )
    draft = Draft({"data": {}})
    study_of_sessions(look, "purchased", draft, Answers(None))
    assert (draft.keys["task"], draft.keys["families"]) == (
        "purchase",
        suggested("purchase", histories=False),
    )
    table = draft.keys["data"]["sessions"]
    assert (table["label"], table["positive"]) == ("purchased", ["yes"])
    assert (table["categorical"], table["numeric"]) == (["place"], ["pages"])
    assert table["missing"] == ["", "unknown"]
    told = " ".join(line for lines in draft.comments.values() for line in lines)
    assert "Left out: shop_id (named like an id)" in told
    assert "Left out: tags (sessions have categories and numbers only)" in told
    assert "Left out: description (sessions have categories and numbers only)" in told
    assert "Left out: purchased" not in told
    assert draft.keys["metric"] == {"name": "log_loss"}
    assert draft.keys["folds"] == {"rule": "stratified", "count": 5, "test": 0.2}


def test_keys_that_would_be_empty_are_not_written() -> None:
    draft = Draft({"data": {}})
    look = look_of({"purchased": ["no", "yes"] * 9, "place": ["home", "work", "home"] * 6})
    study_of_sessions(look, "purchased", draft, Answers(None))
    assert {"numeric", "missing"}.isdisjoint(draft.keys["data"]["sessions"])


def test_a_label_is_no_feature_whether_it_is_written_in_numbers_or_in_sentences() -> None:
    said = ["they have bought something", "they have bought nothing at all"]
    for values, yes in ((["0", "1"], "1"), (said, said[0])):
        rows = {"purchased": values * 9, "price": [f"{n},125" for n in range(18)]}
        draft = Draft({"data": {}})
        study_of_sessions(
            look_of(rows, separator=";"), "purchased", draft, Answers(lambda _: said[0])
        )
        assert draft.keys["data"]["sessions"] == {
            "path": "log.csv", "separator": ";", "label": "purchased", "positive": [yes],
            "numeric": ["price"], "decimal": ",",
        }  # fmt: skip
        assert draft.comments == {}


def test_why_a_column_is_left_out_stands_above_the_label() -> None:
    rows = {"purchased": ["no", "yes"] * 9, "phone": [f"0170 {n}" for n in range(18)]}
    draft = Draft({"data": {}})
    study_of_sessions(look_of(rows), "purchased", draft, Answers(None))
    assert draft.comments == {("data", "sessions", "label"): ["Left out: phone (personal)"]}
