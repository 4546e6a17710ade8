"""What events are, by a column of types, or by what the log is called."""

from collections.abc import Mapping, Sequence

import pytest
from looks import look_of

from recsweep.data.types import KINDS
from recsweep.errors import BadInput
from recsweep.stages.init.columns import LogColumns
from recsweep.stages.init.kinds import FEW, EventKinds, find_kinds
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.times import TimeFormat


def kinds_of(
    columns: Mapping[str, Sequence[str | None]],
    answers: Answers | None = None,
    given: str | None = None,
    time: str = "time",
    name: str = "log.csv",
) -> EventKinds:
    roles = LogColumns("user_id", "item_id", time, TimeFormat("iso", local=False), "dwell")
    rows = len(next(iter(columns.values())))
    log: dict[str, Sequence[str | None]] = {
        role: ["1"] * rows for role in ("user_id", "item_id", time)
    }
    return find_kinds(look_of({**log, **columns}, name), roles, given, answers or Answers(None))


def test_values_are_in_order_of_how_often_they_occur_and_unknown_ones_are_told_as_dropped() -> None:
    answers = Answers(None)
    found = kinds_of({"event": ["view", "buy", "view", "zzz", "view", "buy"]}, answers)
    assert found == EventKinds(None, "event", {"view": "browse", "buy": "purchase"}, {"zzz": 1})
    assert list(found.values) == ["view", "buy"]
    [guess] = answers.guessed
    assert "What does 'zzz' in event of log.csv mean? Guessed: drop (1 of 6 rows)." in guess


def test_answers_give_meanings_and_what_is_dropped() -> None:
    asked: list[Question] = []

    def answer(question: Question) -> str:
        asked.append(question)
        return {"'0'": "browse", "'1'": "drop"}[question.text.split()[2]]

    found = kinds_of({"event": ["0", "1", "0"]}, Answers(answer))
    assert found == EventKinds(None, "event", {"0": "browse"}, {"1": 1})
    assert asked[0].options == (*KINDS, "drop")
    assert asked[0].best is None
    assert asked[0].why == "2 of 3 rows"
    assert asked[0].remedy.startswith("nothing in the column is a known word")
    with pytest.raises(BadInput, match="all events are dropped; give at least one type of event"):
        kinds_of({"event": ["1", "1"]}, Answers(answer))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["view", "x"], True),  # half of the rows are known words
        (["view", "x", "y"], False),
        ([*["view"] * 99, *(f"view{n}" for n in range(FEW - 1))], True),
        ([*["view"] * 99, *(f"view{n}" for n in range(FEW))], False),
        (["view", "1.5"], False),
        (["view", "-1,5"], False),
        (["x", "y"], False),
    ],
)
def test_a_column_that_is_not_named_so_holds_types_if_most_of_its_few_values_do(
    values: list[str], found: bool
) -> None:
    assert (kinds_of({"note": values}).column == "note") is found


def test_a_given_column_or_one_that_is_named_so_needs_fewer_known_words() -> None:
    values = ["view", "x", "y"]
    assert kinds_of({"note": values}, given="note").values == {"view": "browse"}
    assert kinds_of({"event": values}).values == {"view": "browse"}
    assert kinds_of({"my_action": values}).column is None  # a header that only speaks of it
    both = {"note": ["buy", "buy"], "event": ["view", "view"], "dwell": ["view", "view"]}
    assert kinds_of(both).column == "event"
    assert kinds_of({"dwell": ["view", "view"]}).column is None  # taken for the seconds


def test_a_given_column_is_asked_about_even_if_none_of_its_values_is_a_known_word() -> None:
    found = kinds_of({"note": ["0", "1"]}, Answers(lambda _: "rate"), given="note")
    assert found == EventKinds(None, "note", {"0": "rate", "1": "rate"})
    with pytest.raises(BadInput, match=r"What does '0' in note of log\.csv mean"):
        kinds_of({"note": ["0", "0", "1"]}, given="note")


@pytest.mark.parametrize("values", [[str(n) for n in range(FEW + 1)], ["view", "1.5"], [None]])
def test_a_given_column_that_can_hold_no_types_is_refused(values: list[str | None]) -> None:
    with pytest.raises(BadInput, match=r"event holds no types of events; expected are at most 60"):
        kinds_of({"event": values}, given="event")
    assert kinds_of({"event": values}) == EventKinds("browse")  # no given one is passed over


@pytest.mark.parametrize(
    ("name", "time", "others", "kind"),
    [
        ("orders.csv", "viewed_at", {}, "purchase"),
        ("log.csv", "viewed_at", {}, "browse"),
        ("log.csv", "at", {"rating": ["4"]}, "rate"),
        ("implicit_ratings.csv", "at", {"x": ["4"]}, "browse"),
    ],
)
def test_without_a_column_the_files_name_or_a_header_says_what_all_events_are(
    name: str, time: str, others: dict[str, list[str]], kind: str
) -> None:
    answers = Answers(None)
    columns = others or {"x": ["4"]}
    assert kinds_of(columns, answers, time=time, name=name) == EventKinds(kind)
    assert answers.guessed == [
        f"What are the events of {name}? Guessed: browse (no column says so)."
        for _ in range(name.startswith("implicit"))
    ]


def test_headers_of_ids_say_nothing_of_what_the_events_are() -> None:
    look = look_of({"viewer": ["1"], "purchased": ["2"], "at": ["3"]})
    roles = LogColumns("viewer", "purchased", "at", TimeFormat("iso", local=False), None)
    asked: list[Question] = []

    def rate(question: Question) -> str:
        asked.append(question)
        return "rate"

    assert find_kinds(look, roles, None, Answers(rate)) == EventKinds("rate")
    [question] = asked
    assert (question.options, question.best) == (KINDS, "browse")
