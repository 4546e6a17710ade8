"""How times are written; days and months that could be either; and what a spreadsheet spoilt."""

import re
from pathlib import Path

import polars as pl
import pytest
from looks import look_of

from recsweep.config.schema import Table
from recsweep.errors import BadInput
from recsweep.stages.init.look import Look
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.times import TimeFormat, find_format, refuse_odd, refuse_spoilt

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
        ("0{}.03.2024 10:00+08:00", "%d.%m.%Y %H:%M%z", False),
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


def test_two_times_are_in_order_in_every_reading_and_so_are_a_guess() -> None:
    answers = Answers(None)
    assert key_of(["03/05/2024", "04/12/2024", "03/05/2024"], answers) == "%m/%d/%Y"
    assert len(answers.guessed) == 1


def test_a_question_shows_the_first_time_in_each_reading_and_takes_an_answer() -> None:
    asked: list[Question] = []

    def second(question: Question) -> str:
        asked.append(question)
        return question.options[1]

    assert key_of(["04/06/2024", "06/03/2024", "05/05/2024"], Answers(second)) == "%m/%d/%Y"
    [question] = asked
    assert question.text == "Which comes first in time of log.csv, the day or the month?"
    assert question.why == ("'04/06/2024' may be 2024-06-04 (%d/%m/%Y) or 2024-04-06 (%m/%d/%Y)")
    assert question.options == ("%d/%m/%Y", "%m/%d/%Y")
    assert question.best == "%m/%d/%Y"  # 4 April to 3 June, not 6 March to 4 June


def test_readings_that_say_the_same_are_no_question() -> None:
    answers = Answers(None)
    assert key_of(["03/03/2024", "01/01/2024", "02/02/2024"], answers) == "%d/%m/%Y"
    assert answers.guessed == []


@pytest.mark.parametrize("values", [["soon", "later"], ["12", "13"], [None, "NULL"]])
def test_what_is_no_time_has_no_format(values: list[str | None]) -> None:
    assert find_format(look_of({"time": values}), "time", Answers(None)) is None


def test_words_for_no_value_are_no_times_that_cannot_be_read() -> None:
    assert key_of(["2024-03-01", "NULL", "-1", "2024-03-02"], Answers(None)) == "iso"


@pytest.mark.parametrize(
    ("dtype", "local"),
    [(pl.Date(), True), (pl.Datetime("us"), True), (pl.Datetime("ms", "Asia/Shanghai"), False)],
)
def test_columns_of_times_need_no_format_and_a_zone_unless_they_have_one(
    dtype: pl.DataType, local: bool
) -> None:
    rows = pl.DataFrame({"time": pl.Series([0, 1], dtype=pl.Int32).cast(dtype)})
    look = Look(Table(path="a.parquet", format="parquet"), Path("a.parquet"), rows)
    assert find_format(look, "time", Answers(None)) == TimeFormat("iso", local)
    refuse_odd(look, "time")


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["1.7E+12", "1.70012e+12", "2E+9"], "'1.7E[+]12', which was rounded by a spreadsheet"),
        (["45352", "30000.25", "59999"], "'45352', which counts days, as spreadsheets do"),
        (["45352"] * 200 + ["2024-03-01"], "counts days"),  # the first two hundred tell
        (["45352"] * 199 + ["2024-03-01"], None),
        (["45352", "29999"], None),
        (["45352", "60000"], None),
        (["2024-03-01"], None),
        ([None], None),
    ],
)
def test_times_that_a_spreadsheet_spoilt_are_refused_with_the_first(
    values: list[str | None], what: str | None
) -> None:
    look = look_of({"time": values})
    if what is None:
        refuse_spoilt(look, "time")
        return
    with pytest.raises(BadInput, match=f"log.csv: time is .*{what}.*; show the column as"):
        refuse_spoilt(look, "time")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["2024-03-05 10:00", " 5 March", None, "2024-03-06 11:00", "2024-03-07 12:00"],
         "row 2: time is ' 5 March', and other times are '2024-03-05 10:00'; mend the 1 rows"),
        (["5 March", "NULL", "2024-3-5 9:00", "2024-03-05 10:00", "2024-11-05 10:00", "x",
          "2024-11-05 8:00"],
         "row 1: time is '5 March', and other times are '2024-3-5 9:00'; mend the 2 rows"),
        (["2024-03-05 10:00", "x", "2024-03-05 10:00", "y"], None),  # half of all
        (["2024-03-05 10:00", "2024-03-06 10:00"], None),
        (["soon", "x", "soon"], None),
    ],
)  # fmt: skip
def test_a_few_odd_values_among_times_are_refused_with_the_first_ones_row(
    values: list[str | None], told: str | None
) -> None:
    look = look_of({"time": values})
    if told is None:
        refuse_odd(look, "time")
        return
    with pytest.raises(BadInput, match=re.escape(told)):
        refuse_odd(look, "time")


def test_readings_that_span_as_much_are_a_question() -> None:
    with pytest.raises(BadInput, match=r"the day or the month\? '04/06/2024' may be 2024-06-04"):
        key_of(["04/06/2024", "06/04/2024", "05/05/2024"], Answers(None))
