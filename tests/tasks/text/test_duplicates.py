"""What duplicates add is an expectation over splits."""

from dataclasses import replace

import numpy as np
import pytest
from labels import targets_of

from recsweep.data.types import Targets
from recsweep.models.text.texts import labelled
from recsweep.tasks.text import duplicates
from recsweep.tasks.text.duplicates import asked_again, with_duplicates
from recsweep.tasks.text.folds import TRAINING


def with_copies(copies: list[int], learned: list[int], training: int) -> Targets:
    """Texts of the test with so many copies each; of `training` texts, some had copies too."""
    targets = targets_of(np.zeros(len(copies), np.int64), "ab", np.array(copies))
    taught = targets_of(np.zeros(len(learned), np.int64), "ab", np.array(learned))
    labels = replace(labelled(targets), learned=labelled(taught))
    return replace(targets, labels=labels, counts={TRAINING: training})


def test_an_expectation_worked_by_hand() -> None:
    """Two texts of the test, once and twice; of three of training, one stands three times."""
    targets = with_copies([0, 1], [2], training=3)
    said = np.array([[0.8, 0.2], [0.1, 0.9], [0.95, 0.05]])  # right, wrong, and right of training
    found = with_duplicates(said, targets)
    assert found is not None
    # Two of five texts are tested. Of 3 + 2 rows that are not alone, so many have a copy elsewhere.
    seen = 3 * (1 - 0.4**2) + 2 * (1 - 0.4)
    assert (found.texts, found.rows) == (5, 8)
    assert found.seen == pytest.approx(seen / 8)
    assert found.metrics["accuracy"] == pytest.approx((3 * 1 + seen * 1 + (5 - seen) * 0) / 8)
    losses = -np.log([0.8, 0.95, 0.1]) * [3, seen, 5 - seen]
    assert found.metrics["log_loss"] == pytest.approx(losses.sum() / 8)


def test_a_text_weighs_by_the_rows_that_it_stands_for() -> None:
    targets = with_copies([0, 0, 1, 4], [1, 2], training=2)
    said = np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9], [0.9, 0.1], [0.1, 0.9]])
    found = with_duplicates(said, targets)
    assert found is not None
    times, test = np.array([2, 3, 1, 1, 2, 5]), 4 / 6
    seen = (times * (1 - test ** (times - 1))).sum()
    assert (found.texts, found.rows) == (6, 14)
    single, of_more, of_seen = 1 / 2, 2 / 7, 2 / 5
    right = 2 * single + seen * of_seen + (12 - seen) * of_more
    assert found.metrics["accuracy"] == pytest.approx(right / 14)


@pytest.mark.parametrize(("copies", "right"), [([0, 0], 1 / 2), ([1, 3], 2 / 6)])
def test_where_all_texts_of_a_test_stand_once_or_none_does_they_tell_of_the_others(
    copies: list[int], right: float
) -> None:
    said = np.array([[0.9, 0.1], [0.1, 0.9], [0.9, 0.1]])
    found = with_duplicates(said, with_copies(copies, [1], training=2))
    assert found is not None
    seen, rows = found.seen * found.rows, found.rows
    assert found.metrics["accuracy"] == pytest.approx((seen + (rows - seen) * right) / rows)


def test_so_many_texts_of_training_are_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    learned = labelled(targets_of(np.zeros(2001, np.int64), "ab"))
    assert list(asked_again(learned).text) == list(learned.text[:2000])
    monkeypatch.setattr(duplicates, "ASKED_AGAIN", 1)
    said = np.array([[0.9, 0.1], [0.1, 0.9]])  # no more is said than of the test and of one
    found = with_duplicates(said, with_copies([0], [1, 1], training=2))
    assert found is not None
    assert found.metrics["accuracy"] == pytest.approx(1 - found.seen)


def test_what_duplicates_would_have_added_is_what_splits_of_all_rows_give() -> None:
    """Rows of every text are dealt out at random, again and again, and scored by whether a copy was
    learned from: known texts are always right, new ones as the sealed test has them.
    """
    random = np.random.default_rng(1)
    times = random.integers(1, 4, 50)  # of 40 texts of training and 10 of the test
    targets = targets_of(np.zeros(10, np.int64), "ab", times[40:] - 1)
    training = targets_of(np.zeros(40, np.int64), "ab", times[:40] - 1)
    learned = labelled(training).at(np.flatnonzero(times[:40] > 1))
    labels = replace(labelled(targets), learned=learned)
    targets = replace(targets, labels=labels, counts={TRAINING: 40})
    fresh = np.where(random.random(10) < 0.5, 0.9, 0.1)  # right or wrong
    of_test = np.column_stack((fresh, 1 - fresh))
    of_learned = np.tile([0.99, 0.01], (len(learned), 1))
    found = with_duplicates(np.concatenate((of_test, of_learned)), targets)
    assert found is not None
    assert (found.texts, found.rows) == (50, times.sum())
    right, once = (fresh > 0.5).astype(float), times[40:] == 1
    of_once, of_more = right[once].mean(), np.average(right[~once], weights=times[40:][~once])
    owner = np.repeat(np.arange(50), times)
    seen, scores = [], []
    for _ in range(4000):
        test = random.random(len(owner)) < 0.2
        known = np.bincount(owner[~test], minlength=50) > 0
        rows = owner[test]
        seen.append(known[rows].sum())
        new = np.where(times[rows] == 1, of_once, of_more)
        scores.append((np.where(known[rows], 1.0, new).sum(), len(rows)))
    total, n = np.sum(scores, axis=0)
    assert found.seen == pytest.approx(np.sum(seen) / n, abs=0.01)
    assert found.metrics["accuracy"] == pytest.approx(total / n, abs=0.01)


def test_without_copies_nothing_is_said_of_them() -> None:
    targets = targets_of(np.zeros(3, np.int64), "ab")
    nothing = replace(labelled(targets), learned=labelled(targets).at(np.zeros(0, np.int64)))
    for each in (targets, replace(targets, labels=nothing, counts={TRAINING: 3})):
        assert with_duplicates(np.full((3, 2), 0.5), each) is None
