"""Which columns of a log are taken for what, by their headers and by their values."""

from collections.abc import Mapping, Sequence

import pytest
from looks import look_of

from recsweep.errors import BadInput
from recsweep.stages.init.columns import best_named, find_columns, looks_like_log, named_after
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.words import Role

TIMES = [f"2024-03-{day:02} 10:00:00" for day in range(1, 21)]
IDS = [f"{n * 7 % 5}" for n in range(20)]
OTHERS = [f"{n * 3 % 6}" for n in range(20)]


def asked_of(
    columns: Mapping[str, Sequence[str | None]],
    header: bool = True,
    given: dict[Role, str] | None = None,
) -> list[Question]:
    """What is asked where every answer is the first option."""
    asked: list[Question] = []

    def first(question: Question) -> str:
        asked.append(question)
        return question.options[0]

    find_columns(look_of(columns, header=header), given or {}, Answers(first))
    return asked


def times(rows: int) -> list[str]:
    return [f"2024-03-01 {n // 60 % 24:02}:{n % 60:02}:00" for n in range(rows)]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"seconds": ["12", "3.5"]}, "seconds"),
        ({"seconds": ["12", "3 s"]}, None),
        ({"dwell": ["long", "5"], "seconds": ["12", "0"]}, "seconds"),
        ({"note": ["12", "3"]}, None),
    ],
)
def test_seconds_are_a_column_of_plain_numbers_that_is_named_so(
    columns: dict[str, list[str]], expected: str | None
) -> None:
    log = {"user_id": ["1", "2"], "item_id": ["3", "4"], "time": TIMES[:2]}
    found = find_columns(look_of({**log, **columns}), {}, Answers(None))
    assert (found.user, found.item, found.time, found.dwell) == (
        "user_id", "item_id", "time", expected,
    )  # fmt: skip
    assert found.format.key == "iso"


def test_what_is_given_is_taken_and_must_be_there() -> None:
    columns = {"user_id": IDS, "item_id": OTHERS, "time": TIMES, "a": OTHERS, "b": TIMES, "c": IDS}
    look, nobody = look_of(columns), Answers(None)
    found = find_columns(look, {"user": "c", "item": "a", "time": "b"}, nobody)
    assert (found.user, found.item, found.time) == ("c", "a", "b")
    assert find_columns(look, {}, nobody).time == "time"
    with pytest.raises(BadInput, match=r"no column 'z'; it has user_id, item_id, time, a, b, c"):
        find_columns(look, {"user": "z"}, nobody)


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        (["1", "2"] * 60, True),  # few rows tell nothing of how many values there may be
        (["1"] * 120, False),
        ([f"{n % 11}" for n in range(120)], True),
        ([f"{n % 11}" for n in range(121)], False),  # as ratings
        ([f"{n % 12}" for n in range(121)], True),
        ([f"{n % 60}" for n in range(120)], True),
        ([f"{n % 61}" for n in range(120)], False),  # more than half are met once
        ([f"{n % 9}.5" for n in range(120)], False),
        ([f"{n % 9},25" for n in range(120)], False),
        ([*(f"{n % 20}" for n in range(119)), "2.5"], False),  # a single amount
        (["view", "7"] * 60, False),
        (["view", "7", "8"] * 40, True),
    ],
)
def test_a_column_may_hold_ids_if_values_come_back_and_are_no_ratings_amounts_or_types(
    values: list[str], taken: bool
) -> None:
    rows = len(values)
    ids = [f"{n % 20}" for n in range(rows)]
    columns = {"a": ids, "b": ids, "x": values, "time": times(rows)}
    [users, items] = asked_of(columns)
    assert users.text == "Which column of log.csv holds the learner?"
    assert users.options == (("a", "b", "x") if taken else ("a", "b"))
    assert users.best == (None if taken else "a")  # of two, learners come first
    assert users.remedy == "name it with --user COLUMN"
    assert users.why.startswith("a holds 0, 1; b holds 0, 1")
    assert items.options == users.options[1:]
    assert items.best == "b"


def test_in_a_tiny_log_two_ids_may_come_back_once() -> None:
    columns = {"a": ["1", "2", "1"], "b": ["3", "4", "4"], "x": ["1", "2", "3"], "time": times(3)}
    assert asked_of(columns)[0].options == ("a", "b")


def test_what_is_given_or_holds_the_times_is_asked_about_no_more() -> None:
    columns = {"user_time": TIMES, "a": IDS, "b": OTHERS, "c": IDS}
    users, items = asked_of(columns, given={"time": "user_time"})
    assert (users.options, items.options) == (("a", "b", "c"), ("b", "c"))
    [users] = asked_of(columns, given={"time": "user_time", "item": "a"})
    assert users.options == ("b", "c")
    [items] = asked_of(columns, given={"time": "user_time", "user": "b"})
    assert items.options == ("a", "c")
    assert items.remedy == "name it with --item COLUMN"


def test_a_column_of_seconds_that_is_given_as_an_id_is_no_column_of_seconds() -> None:
    columns = {"seconds": IDS, "item_id": OTHERS, "time": TIMES, "secs": ["1"] * 20}
    found = find_columns(look_of(columns), {"user": "seconds"}, Answers(None))
    assert (found.user, found.item, found.dwell) == ("seconds", "item_id", "secs")


def test_of_columns_that_are_named_alike_the_first_is_guessed_and_an_empty_one_is_none() -> None:
    log = {"item_id": OTHERS, "time": TIMES}
    [users] = asked_of({**log, "user": IDS, "uid": IDS, "learner": IDS})
    assert (users.options, users.best) == (("user", "uid", "learner"), "user")
    assert asked_of({**log, "user": [None] * 20, "uid": IDS}) == []


def test_a_header_that_speaks_of_a_learner_and_of_a_course_is_neithers_id() -> None:
    users, items = asked_of({"user_item": IDS, "a": IDS, "b": OTHERS, "time": TIMES})
    assert (users.options, items.options) == (("a", "b"), ("b",))


def test_the_only_column_that_may_hold_ids_is_a_guess_if_its_header_does_not_say_so() -> None:
    [items] = asked_of({"user_id": IDS, "x": OTHERS, "time": TIMES})
    assert (items.options, items.best) == (("x",), "x")
    answers = Answers(None)
    columns = {"column_1": [f"u{v}" for v in IDS], "column_2": OTHERS, "column_3": TIMES}
    assert find_columns(look_of(columns, header=False), {}, answers).item == "column_2"
    assert answers.guessed == []


def test_ids_that_could_be_times_are_no_times_where_their_header_says_whose_they_are() -> None:
    seconds = [f"17000000{n % 5:02}" for n in range(20)]
    assert asked_of({"user_id": seconds, "item_id": OTHERS, "x": TIMES}) == []


@pytest.mark.parametrize(
    ("times", "problem"),
    [
        (["1.70012E+12"] * 20, "time is '1.70012E[+]12', which was rounded by a spreadsheet"),
        (["2024-03-05 10:00"] * 19 + ["in March"], "row 20: time is 'in March'"),
    ],
)
def test_times_that_are_spoilt_or_some_of_which_are_none_are_refused(
    times: list[str], problem: str
) -> None:
    log = {"user_id": IDS, "item_id": OTHERS, "time": times}
    with pytest.raises(BadInput, match=problem):
        find_columns(look_of(log), {}, Answers(None))


def test_ids_tell_by_their_letters_whose_they_are() -> None:
    learners, courses = [f"u{v}" for v in IDS], [f"course-{v}" for v in OTHERS]
    columns = {"column_1": courses, "column_2": learners, "column_3": TIMES, "column_4": IDS}
    found = find_columns(look_of(columns, header=False), {}, Answers(None))
    assert (found.user, found.item) == ("column_2", "column_1")
    mixed = [*learners[:10], *courses[10:]]
    questions = asked_of({"a": mixed, "b": OTHERS, "time": TIMES})
    assert questions[0].options == ("a", "b")


def test_of_two_columns_of_times_the_one_that_is_named_so_is_taken_or_it_is_asked() -> None:
    log = {"user_id": IDS, "item_id": OTHERS}
    assert asked_of({**log, "x": TIMES, "time": TIMES}) == []
    [named] = asked_of({**log, "x": TIMES, "event_time": TIMES, "time": TIMES})
    assert (named.options, named.best) == (("event_time", "time"), "event_time")
    [open_] = asked_of({**log, "x": TIMES, "y": TIMES})
    assert (open_.options, open_.best) == (("x", "y"), None)
    assert open_.remedy == "name it with --time COLUMN"


def test_a_log_without_times_is_refused_with_a_value_of_what_is_named_so() -> None:
    words = ["soon", "later"] * 10
    with pytest.raises(
        BadInput, match=r"can be read: time holds 'soon'; columns are user_id, .*x$"
    ):
        find_columns(
            look_of({"user_id": IDS, "item_id": IDS, "time": words, "x": words}), {}, Answers(None)
        )
    both = {"user_id": IDS, "item_id": IDS, "date": words, "time": words[::-1]}
    with pytest.raises(BadInput, match=r"can be read: date holds 'soon'; columns"):
        find_columns(look_of(both), {}, Answers(None))
    with pytest.raises(BadInput, match=r"that can be read; columns are user_id, item_id, x"):
        find_columns(look_of({"user_id": IDS, "item_id": IDS, "x": words}), {}, Answers(None))
    with pytest.raises(BadInput, match=r"no column can be the learner; columns are x, time"):
        find_columns(look_of({"x": ["1"] * 20, "time": TIMES}), {}, Answers(None))


@pytest.mark.parametrize(
    ("names", "header", "given", "expected"),
    [
        (["user_id", "item_id"], True, {}, True),
        (["user_id", "price"], True, {}, False),
        (["item_id", "price"], True, {}, False),
        (["user_id", "price"], True, {"item": "price"}, True),
        (["a", "b"], False, {}, False),
        (["a", "time"], False, {}, True),
        (["a", "b"], False, {"user": "a", "item": "b"}, True),
    ],
)
def test_a_log_names_a_learner_and_a_course_or_holds_times_where_nothing_is_named(
    names: list[str],
    header: bool,
    given: dict[Role, str],
    expected: bool,
) -> None:
    columns = {name: TIMES if name == "time" else [f"w{v}x" for v in IDS] for name in names}
    assert looks_like_log(look_of(columns, header=header), given) is expected


def test_a_header_that_names_a_role_exactly_is_better_than_one_that_speaks_of_it() -> None:
    assert best_named(["user_age", "user_id", "x", "uid"], "user") == ["user_id", "uid"]
    assert best_named(["x", "user_age"], "user") == ["user_age"]
    assert best_named(["x", "y"], "user") == []
    assert best_named([], "user") == []


def test_a_file_is_called_what_its_name_says_before_the_first_point() -> None:
    assert named_after(look_of({}, name="orders.csv.gz").path) == "orders"
