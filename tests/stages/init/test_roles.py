"""Which file is a log, and which column of another table holds its ids."""

import polars as pl
import pytest
from looks import look_of

from recsweep.errors import BadInput
from recsweep.stages.init.roles import find_key, split_files

USERS = pl.Series("user", ["u1", "u2", "u3", "u4"])
ITEMS = pl.Series("item", ["c1", "c2", "c3", "c4"])


def test_a_log_names_learners_and_courses() -> None:
    log = look_of({"user_id": ["u1"], "course_id": ["c1"]}, "log.csv")
    learners = look_of({"user_id": ["u1"], "age": ["9"]}, "learners.csv")
    assert split_files([learners, log], {}) == ([log], [learners])
    assert split_files([log, learners, log], {}) == ([log, log], [learners])
    assert split_files([learners], {"item": "age"}) == ([learners], [])
    assert split_files([log, learners], {"item": "age"}) == ([log, learners], [])
    assert split_files([learners], {}) == ([learners], [])  # a single file is one
    with pytest.raises(BadInput, match=r"none of learners\.csv, learners\.csv has columns"):
        split_files([learners, learners], {})


@pytest.mark.parametrize(
    ("table", "of", "key"),
    [
        ({"code": ["c1", "c2"], "no": ["x", "y"]}, "items", "code"),  # half of the ids
        ({"no": ["x", "y"], "code": ["u1", "u2"]}, "users", "code"),
        ({"a": ["u1", "u2", "u3"], "b": ["u1", "u2", "c1"]}, "users", "a"),  # the more, the surer
        ({"a": ["u1", "u2"], "user_id": ["u1", "u2"]}, "users", "user_id"),  # of as many
        ({"a": ["c1", "c2"], "user_id": ["c1", "c2"]}, "items", "a"),
        ({"course_id": ["c3", "x"], "a": ["c1", "c2"]}, "items", "a"),  # half leave no doubt
        ({"a": ["c1", "c1"], "course_id": ["c2", "x"]}, "items", "course_id"),
        ({"a": ["u1", "x"], "course_id": ["c2", "x"]}, "items", "course_id"),
        ({"a": ["u1", "x"], "course_id": ["y", "x"]}, "users", "a"),  # shares nothing
        ({"user_id": ["u1", "x"], "course_id": ["y", "c1"]}, "users", "user_id"),  # of as many
        ({"course_id": ["y", "c1"], "user_id": ["u1", "x"]}, "items", "course_id"),
        ({"b": ["c1", "x"], "a": ["u1", "c2"]}, "items", "b"),  # no header tells
        ({"member": ["u1"], "a": ["c1"]}, "users", "member"),
    ],
)
def test_a_tables_key_shares_most_ids_with_the_log_or_a_few_under_a_telling_header(
    table: dict[str, list[str | None]], of: str, key: str
) -> None:
    found = find_key(look_of(table), USERS, ITEMS)
    assert (found.of, found.key) == (of, key)
    assert found.look.names == [*table]


def test_a_table_without_a_known_id_is_refused() -> None:
    with pytest.raises(BadInput, match="no column shares an id with the log"):
        find_key(look_of({"user_id": ["x", "y"]}), USERS, ITEMS)


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_telling_headers_the_one_that_shares_more_is_taken(turned: bool) -> None:
    columns = {"user_id": ["u1", "x"], "course_id": ["c1", "c2"]}
    look = look_of(dict(sorted(columns.items(), reverse=turned)))
    found = find_key(look, USERS, pl.Series("item", [f"c{n}" for n in range(5)]))
    assert (found.of, found.key) == ("items", "course_id")
