"""The zone of times that name none: given, asked for, or guessed from the language."""

import pytest
from looks import look_of

from recsweep.errors import BadInput
from recsweep.stages.init.questions import Answers
from recsweep.stages.init.zones import find_zone

PLAIN = look_of({"id": ["a"]})


@pytest.mark.parametrize(
    ("columns", "encoding", "zone"),
    [
        ({"id": ["a"]}, "utf-8", "UTC"),
        ({"id": ["a", "课"], "b": ["c", "d"]}, "utf-8", "Asia/Shanghai"),
        ({"编号": ["a"], "b": ["c"]}, "utf-8", "Asia/Shanghai"),  # in a header
        ({"id": ["a"]}, "gb18030", "Asia/Shanghai"),
        ({"课": ["课"]}, "big5hkscs", "Asia/Taipei"),
        ({"id": ["é", "ä"]}, "latin-1", "UTC"),
    ],
)
def test_files_in_chinese_are_guessed_to_be_from_there_and_others_in_utc(
    columns: dict[str, list[str | None]], encoding: str, zone: str
) -> None:
    answers = Answers(None)
    assert find_zone([PLAIN, look_of(columns, encoding=encoding)], None, answers) == zone
    (guess,) = answers.guessed
    why = "the files don't tell" if zone == "UTC" else "the files are in Chinese"
    assert guess == f"In which time zone are times that name none? Guessed: {zone} ({why})."


def test_of_files_in_two_encodings_the_first_tells_the_zone() -> None:
    looks = [PLAIN, *(look_of({"id": ["a"]}, encoding=name) for name in ("big5hkscs", "gb18030"))]
    assert find_zone(looks, None, Answers(None)) == "Asia/Taipei"


@pytest.mark.parametrize(("sign", "zone"), [
    ("\u4e00", "Asia/Shanghai"), ("\u9fff", "Asia/Shanghai"), ("\u4dff", "UTC"), ("\ua000", "UTC"),
    ("ア", "UTC"),
])  # fmt: skip
def test_chinese_is_what_has_a_sign_of_it_in_a_header_or_a_value(sign: str, zone: str) -> None:
    for columns in ({f"a{sign}": ["b"], "c": ["d"]}, {"a": ["b", f"{sign}c"], "d": ["e", "f"]}):
        assert find_zone([look_of(columns)], None, Answers(None)) == zone


def test_a_zone_that_is_given_is_not_asked_for() -> None:
    answers = Answers(None)
    assert find_zone([PLAIN], "Europe/Berlin", answers) == "Europe/Berlin"
    assert answers.guessed == []


@pytest.mark.parametrize("answer", ["Mars/Olympus", "../etc", "/etc/passwd"])
def test_an_answer_that_is_no_zone_is_refused(answer: str) -> None:
    with pytest.raises(BadInput, match="is no time zone; write one such as"):
        find_zone([PLAIN], None, Answers(lambda _: answer))


def test_an_answer_is_taken() -> None:
    assert find_zone([PLAIN], None, Answers(lambda _: "Europe/Berlin")) == "Europe/Berlin"
    with pytest.raises(BadInput, match="'Mars' is no time zone"):
        find_zone([PLAIN], "Mars", Answers(None))
