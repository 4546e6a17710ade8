"""What is open is asked, guessed or refused."""

import pytest

from recsweep.errors import BadInput
from recsweep.stages.init.questions import Answers, Question

OPEN = Question("Which column?", "a holds 1", ("a", "b"), None, "name it with --user COLUMN")
LIKELY = Question("Which zone?", "the files don't tell", (), "UTC", "")


def test_what_somebody_answers_is_taken_and_is_no_guess() -> None:
    asked: list[Question] = []

    def ask(question: Question) -> str:
        asked.append(question)
        return "b"

    answers = Answers(ask)
    assert [answers.settle(OPEN), answers.settle(LIKELY)] == ["b", "b"]
    assert (asked, answers.guessed) == ([OPEN, LIKELY], [])


def test_where_nobody_answers_the_best_guess_is_taken_and_told() -> None:
    answers = Answers(None)
    assert answers.settle(LIKELY) == "UTC"
    assert answers.guessed == ["Which zone? Guessed: UTC (the files don't tell)."]


def test_where_nobody_answers_and_no_guess_is_better_it_is_refused_with_what_to_do() -> None:
    answers = Answers(None)
    with pytest.raises(BadInput, match=r"^Which column\? a holds 1; name it with --user COLUMN$"):
        answers.settle(OPEN)
    assert answers.guessed == []
