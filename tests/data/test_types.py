"""Rows are taken out of everything that has one of each."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from worlds import dataset_of, events_of, training_of

from recsweep.data.types import (
    BOUGHT,
    KINDS,
    UNKNOWN,
    Dataset,
    Fold,
    Labels,
    Sequences,
    Targets,
    Training,
    Treatments,
)

ROWS = np.array([2, 0])


def rows(*shape: int) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape)


SEQUENCES = Sequences(
    user=rows(3), offsets=np.array([0, 2, 2, 5]), item=rows(5), time=rows(5), kind=rows(5),
    features=rows(3, 2), item_features=rows(5, 2), event_features=rows(5, 1),
)  # fmt: skip
TREATMENTS = Treatments(rows(3) > 0, rows(3) / 3, 0.3, expected=rows(3, 2), guessed=rows(3))
LABELS = Labels(
    rows(3) > 0, rows(3, 2), ("a", "b"), price=rows(3), likeness=rows(3, 2, 3),
    treatments=TREATMENTS, weight=rows(3),
)  # fmt: skip
TARGETS = Targets(
    SEQUENCES, rows(3), rows(3), rows(3), rows(3), drop_seen=False, counts={}, labels=LABELS,
    kind=rows(3),
)  # fmt: skip


@pytest.mark.parametrize("whole", [TARGETS, LABELS, TREATMENTS], ids=lambda w: type(w).__name__)
def test_some_rows_have_their_own_of_all_that_is_told_of_each(
    whole: Targets | Labels | Treatments,
) -> None:
    for field in fields(whole):
        expected = getattr(whole, field.name)
        if isinstance(expected, np.ndarray):
            found = getattr(whole.at(ROWS), field.name)
            np.testing.assert_array_equal(found, expected[ROWS], err_msg=field.name)
        if field.default is None:
            nothing: Any = {field.name: None}
            without = replace(whole, **nothing)
            assert getattr(without.at(ROWS), field.name) is None
            assert getattr(whole.at(ROWS), field.name) is not None or expected is None


def test_some_of_the_sequences_have_their_own_events() -> None:
    found = SEQUENCES.at(ROWS)
    events = [2, 3, 4, 0, 1]
    assert found.offsets.tolist() == [0, 3, 5]
    for field in fields(SEQUENCES):
        expected = getattr(SEQUENCES, field.name)
        if field.name != "offsets":
            at = events if len(expected) == 5 else ROWS
            np.testing.assert_array_equal(getattr(found, field.name), expected[at])


def test_of_sequences_without_features_of_events_some_have_none_either() -> None:
    found = replace(SEQUENCES, item_features=None, event_features=None).at(ROWS)
    assert (found.item_features, found.event_features) == (None, None)
    none = SEQUENCES.at(np.zeros(0, np.int64))
    assert (len(none), none.offsets.tolist(), none.item.tolist()) == (0, [0], [])
    assert none.features.shape == (0, 2)
    assert none.offsets.dtype == np.int64


def test_things_that_rows_are_counted_of_have_a_length() -> None:
    assert (len(SEQUENCES), len(TARGETS)) == (3, 3)
    assert len(events_of([(0, 0, 1), (0, 1, 2)])) == 2


def test_windows_are_of_times_unless_events_have_parts() -> None:
    events = events_of([(0, 0, 5), (0, 1, 7)])
    assert events.cut_by is events.time
    assert events.beside == {}
    parted = replace(events, part=np.array([1, 0]), dwell=np.ones(2, np.float32))
    assert parted.cut_by.tolist() == [1, 0]
    assert list(parted.beside) == ["dwell", "part"]


def test_known_courses_are_all_but_the_cold_ones() -> None:
    training = replace(training_of([[0, 1], [2]], n_items=5), n_cold=2)
    assert (training.n_items, training.n_known) == (5, 3)
    assert Training(training.sequences, 5, training.item_features).n_known == 5


def test_training_without_learners_keeps_the_catalogue_and_the_columns() -> None:
    whole = replace(training_of([[0, 1], [2]]), user_columns=("age",), n_cold=1, examples=TARGETS)
    bare = whole.without_learners()
    assert (len(bare.sequences), bare.sequences.item.tolist()) == (0, [])
    assert (bare.n_items, bare.n_cold, bare.user_columns) == (3, 1, ("age",))
    assert bare.item_features is whole.item_features
    assert bare.examples is not None
    assert (len(bare.examples), len(bare.examples.histories)) == (0, 0)
    assert isinstance(bare.examples.labels, Labels)
    assert bare.examples.labels.inputs.shape == (0, 2)
    assert replace(whole, examples=None).without_learners().examples is None


def test_a_fold_ranks_the_courses_of_its_training() -> None:
    training = training_of([[0, 1]], n_items=7)
    assert Fold("f", 9, rows(7), training, TARGETS).n_items == 7


def test_a_data_set_of_a_log_alone_has_nothing_beside() -> None:
    found: Dataset = dataset_of(events_of([(0, 0, 1)]))
    assert (found.user_rows, found.item_rows, found.word_vectors) == (None, None, None)


def test_an_event_has_one_of_the_kinds_and_an_unknown_course_no_place() -> None:
    assert KINDS[BOUGHT] == "purchase"
    assert UNKNOWN == -1
    assert TARGETS.same_instant_competes
    assert TARGETS.seen_kinds is None
