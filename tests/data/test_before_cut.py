"""What is learned before a cut is learned from those who were there before it."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.before_cut import FittedCatalogue, learn, moment_of
from recsweep.data.types import Dataset

CUT = 50
ROWS = [(u, i, t) for t, (u, i) in enumerate([(0, 0), (1, 1), (0, 1), (2, 0), (1, 0)], start=10)]
LATER = [(3, 0, 60), (4, 2, 61), (0, 2, 62)]  # learners 3 and 4 and course 2 are new


RULES = ("time", "leave_one_out", "learners")


def world(later: dict[str, list[Any]]) -> Dataset:
    """Three learners and two courses before the cut, the rest as `later` has it."""
    events = events_of(ROWS + LATER)
    users = pl.DataFrame(
        {
            "_id": [f"u{n}" for n in range(5)],
            "_label": pl.Series([None] * 5, dtype=pl.String),
            "age": [20.0, 30.0, 40.0, *later["age"]],
            "region": ["north", "south", "north", *later["region"]],
            "tags": [["a"], ["b"], ["a", "b"], *later["tags"]],
        },
        strict=False,
    )
    items = pl.DataFrame(
        {
            "_id": ["c0", "c1", "c2"],
            "_label": pl.Series([None] * 3, dtype=pl.String),
            "price": [1.0, 2.0, later["age"][0]],
        },
        strict=False,
    )
    return replace(dataset_of(events), users=users, items=items)


def learned(dataset: Dataset) -> FittedCatalogue:
    events = dataset.development
    return learn(events, events.time < CUT, CUT, dataset, experiment_of())


PLAIN: dict[str, list[Any]] = {
    "age": [30.0, 30.0],
    "region": ["north", "south"],
    "tags": [["a"], ["b"]],
}


@pytest.mark.parametrize(
    "changes",
    [
        {"age": [9000.0, -9000.0]},
        {"age": [None, None]},
        {"region": ["moon", "mars"]},
        {"tags": [["x", "y"], ["z"]]},
    ],
)
def test_learners_and_courses_of_the_window_have_no_say_in_features(
    changes: dict[str, list[Any]],
) -> None:
    before, after = (learned(world({**PLAIN, **c})) for c in ({}, changes))
    known_users, known_items = np.arange(3, dtype=np.int32), np.arange(2, dtype=np.int32)
    assert before.encoder.of_users.sources == after.encoder.of_users.sources
    np.testing.assert_array_equal(
        before.encoder.users(known_users), after.encoder.users(known_users)
    )
    np.testing.assert_array_equal(
        before.encoder.items(known_items), after.encoder.items(known_items)
    )


def test_learners_from_before_the_cut_do_have_a_say() -> None:
    dataset = world(PLAIN)
    assert dataset.users is not None
    other = dataset.users.with_columns(age=pl.Series([20.0, 30.0, 4000.0, 30.0, 30.0]))
    before, after = learned(dataset), learned(replace(dataset, users=other))
    codes = np.array([0], np.int32)
    assert not np.array_equal(before.encoder.users(codes), after.encoder.users(codes))


def test_the_moment_of_a_cut_that_is_no_time_is_the_one_after_all_events() -> None:
    events = events_of([(0, 0, 5), (1, 0, 9), (0, 1, 7)])
    cut_by = [moment_of(events, 2, experiment_of(folds={"rule": rule}).folds) for rule in RULES]
    assert cut_by == [2, 10, 10]
