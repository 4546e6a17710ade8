"""What is learned before a cut is learned from those who were there before it."""

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from worlds import dataset_of, events_of, experiment_of

from recsweep.config.schema import Folds
from recsweep.data.before_cut import (
    FittedCatalogue,
    is_inside,
    learn,
    moment_of,
    rows_of,
    sequences_of,
    trains_on,
)
from recsweep.data.types import UNKNOWN, Dataset

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


def test_a_window_holds_its_start_and_not_its_end() -> None:
    events = events_of([(0, 0, t) for t in (1, 2, 3, 4, 5)])
    assert is_inside(events, (2, 4)).tolist() == [False, True, True, False, False]
    parted = replace(events, part=np.array([4, 3, 2, 2, 1]))
    assert is_inside(parted, (2, 3)).tolist() == [False, False, True, True, False]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("time", [0, 1]), ("sessions", [0, 1]), ("leave_one_out", [0, 1, 4])],
)
def test_a_fold_learns_from_before_its_window_or_without_a_clock_from_all_outside(
    rule: str, expected: list[int]
) -> None:
    events = events_of([(0, 0, t) for t in range(5)])
    folds = Folds.model_validate({"rule": rule})
    assert np.flatnonzero(trains_on(events, (2, 4), folds)).tolist() == expected


def test_some_events_have_their_own_of_every_column() -> None:
    events = replace(
        events_of([(0, 0, 1), (1, 1, 2), (2, 0, 3)]),
        dwell=np.array([1, 2, 3], np.float32),
        part=np.array([7, 8, 9]),
    )
    found = rows_of(events, np.array([2, 0]))
    assert (found.user.tolist(), found.item.tolist(), found.time.tolist()) == (
        [2, 0], [0, 0], [3, 1],
    )  # fmt: skip
    assert found.dwell is not None
    assert found.part is not None
    assert (found.dwell.tolist(), found.part.tolist()) == ([3, 1], [9, 7])
    assert (found.treated, found.propensity) == (None, None)
    assert rows_of(events, np.array([False, True, False])).kind.tolist() == [0]


def test_a_catalogue_has_the_courses_with_enough_events_before_the_cut() -> None:
    """Course 0 has three events before it, course 1 two, course 2 one after it alone."""
    dataset = world(PLAIN)
    events = dataset.development
    for least, known in ((1, [0, 1]), (2, [0, 1]), (3, [0])):
        experiment = experiment_of(folds={"min_item_events": least})
        found = learn(events, events.time < CUT, CUT, dataset, experiment)
        assert (found.items.tolist(), found.n_known) == (known, len(known))
        index = [known.index(i) if i in known else UNKNOWN for i in events.item]
        assert found.index.tolist() == index
        assert found.items.dtype == found.index.dtype == np.int32


def test_courses_that_a_table_knew_by_the_cut_come_after_those_with_events() -> None:
    """In the order of their ids; one known later only is none, one too rare stands among them."""
    rows = pl.DataFrame(
        {
            "_id": ["c0", "c1", "c2", "a9", "b9"],
            "_valid_from": [1, 1, CUT, 1, CUT + 1],
            "price": [1.0, 2.0, 3.0, 4.0, 5.0],
        }
    )
    dataset = replace(world(PLAIN), item_rows=rows)
    events, experiment = dataset.development, experiment_of(folds={"min_item_events": 3})
    data = experiment.data.model_dump()
    data["items"] = {"path": "x", "key": "k", "numeric": ["price"], "valid_from": "since"}
    experiment = experiment_of(
        folds={"min_item_events": 3}, data=data, targets={"candidates": "catalogue"}
    )
    found = learn(events, events.time < CUT, CUT, dataset, experiment)
    assert (found.items.tolist(), found.n_known) == ([0, 3, 1, 2], 1)
    of_course = {0: 0, 1: 2, 2: 3}
    assert found.index.tolist() == [of_course[i] for i in events.item.tolist()]


def test_histories_are_laid_end_to_end_by_learner() -> None:
    dataset = world(PLAIN)
    events, found = dataset.development, learned(dataset)
    rows = found.index != UNKNOWN
    sequences = sequences_of(events, found.index, rows, found.encoder, 99)
    assert sequences.user.tolist() == [0, 1, 2, 3]
    assert sequences.offsets.tolist() == [0, 2, 4, 5, 6]
    assert sequences.item.tolist() == [0, 1, 1, 0, 0, 0]
    assert sequences.time.tolist() == [10, 12, 11, 14, 13, 60]
    np.testing.assert_array_equal(
        sequences.features, found.encoder.users(np.arange(4, dtype=np.int32))
    )
    assert sequences.event_features is None
    experiment = experiment_of(features=["event.gap"])
    of_events = learn(events, events.time < CUT, CUT, dataset, experiment).encoder
    gaps = sequences_of(events, found.index, rows, of_events, 99).event_features
    whole = of_events.events(events, 99)
    assert gaps is not None
    assert whole is not None
    np.testing.assert_array_equal(gaps, whole[rows])
