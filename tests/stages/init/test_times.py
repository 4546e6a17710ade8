"""Days and months that could be either."""

import pytest
from looks import look_of

from recsweep.errors import BadInput
from recsweep.stages.init.questions import Answers
from recsweep.stages.init.times import find_format

NUMBERS = [f"{n * 5 % 12 + 1:02}" for n in range(12)]  # 1 to 12, in no order


def key_of(times: list[str], answers: Answers) -> str | None:
    found = find_format(look_of({"time": times}), "time", answers)
    return None if found is None else found.key


@pytest.mark.parametrize(
    ("time", "key", "local"),
    [
        ("2024-03-0{}T10:00:00", "iso", True),
        ("2024-03-0{}T10:00:00Z", "iso", False),
        ("2024-03-0{}T10:00:00+08:00", "iso", False),
        ("171000000{}", "unix", False),
        ("171000000{}000", "unix_ms", False),
        ("0{}.03.2024 10:00", "%d.%m.%Y %H:%M", True),
        ("0{}.03.2024 10:00 +0800", "%d.%m.%Y %H:%M %z", False),
        ("0{}.03.2024 10:00 UTC", "%d.%m.%Y %H:%M UTC", False),
    ],
)
def test_a_zone_has_to_be_told_where_a_time_names_none(time: str, key: str, local: bool) -> None:
    times = [time.format(n) for n in range(1, 8)] + [time.format(9).replace("09.03", "19.03")]
    found = find_format(look_of({"time": times}), "time", Answers(None))
    assert found is not None
    assert (found.key, found.local) == (key, local)


def test_a_zone_has_to_be_told_if_a_single_time_names_none() -> None:
    times = ["2024-03-01T10:00:00Z", "2024-03-02T10:00:00"]
    found = find_format(look_of({"time": times}), "time", Answers(None))
    assert found is not None
    assert found.local


@pytest.mark.parametrize(
    ("pattern", "key"), [("{}/03/2024", "%d/%m/%Y"), ("03/{}/2024", "%m/%d/%Y")]
)
def test_of_two_readings_the_one_in_order_is_taken_else_the_shorter_one_is_guessed(
    pattern: str, key: str
) -> None:
    answers = Answers(None)
    assert key_of([pattern.format(n) for n in NUMBERS], answers) == key
    assert "Guessed: " + key in " ".join(answers.guessed)


@pytest.mark.parametrize("step", [1, -1])
def test_times_in_order_need_no_guess_even_if_they_span_more(step: int) -> None:
    times = ["04/01/2024", "03/05/2024", "04/12/2024"]
    answers = Answers(None)
    assert key_of(times[::step], answers) == "%d/%m/%Y"
    assert answers.guessed == []


def test_readings_that_span_as_much_are_a_question() -> None:
    with pytest.raises(BadInput, match=r"the day or the month\? '04/06/2024' may be 2024-06-04"):
        key_of(["04/06/2024", "06/04/2024", "05/05/2024"], Answers(None))
