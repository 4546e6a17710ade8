"""Scores are scikit-learn's, and what duplicates add is an expectation over splits."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from recsweep.config.schema import Metric
from recsweep.data.types import Targets
from recsweep.evaluation.probability import EPSILON
from recsweep.models.text.texts import Texts, labelled
from recsweep.tasks.text.duplicates import with_duplicates
from recsweep.tasks.text.folds import TRAINING
from recsweep.tasks.text.scores import pooled, target_values
from recsweep.testing.text_worlds import text_world

METRIC = Metric(name="log_loss")


def targets_of(answer: np.ndarray, classes: str, copies: np.ndarray | None = None) -> Targets:
    n = len(answer)
    none = np.zeros(n, np.int64) if copies is None else copies
    text = np.array([f"{row}" for row in range(n)], object)
    inputs = np.zeros((n, 0), np.float32)
    texts = Texts(text, answer, tuple(classes), chinese=False, inputs=inputs, copies=none)
    whole = text_world("text", features=False).validation
    return replace(whole.at(np.zeros(n, np.int64)), labels=texts)


@pytest.mark.parametrize("classes", ["ab", "abc"])
def test_every_metric_is_that_of_scikit_learn(classes: str) -> None:
    random = np.random.default_rng(0)
    answer = random.integers(0, len(classes), 60)
    found = random.dirichlet(np.ones(len(classes)), 60)
    targets = targets_of(answer, classes)
    values, together = target_values(found, targets, METRIC), pooled(found, targets, METRIC)
    given = found.argmax(axis=1)
    assert values["log_loss"].mean() == pytest.approx(log_loss(answer, found), abs=1e-12)
    assert values["accuracy"].mean() == pytest.approx(accuracy_score(answer, given), abs=1e-12)
    assert together["macro_f1"] == pytest.approx(f1_score(answer, given, average="macro"))
    score = found[:, 1] if len(classes) == 2 else found
    area = roc_auc_score(answer, score, multi_class="ovr", average="macro")
    assert together["roc_auc"] == pytest.approx(area, abs=1e-12)


def test_the_calibration_error_is_that_of_the_label_given() -> None:
    right = np.arange(50) % 5 > 0  # four of five
    answer = np.where(right, 1, 2)
    found = np.tile([0.1, 0.7, 0.2], (50, 1))
    together = pooled(found, targets_of(answer, "abc"), METRIC)
    assert together["ece"] == pytest.approx(0.1)
    wrong = pooled(found, targets_of(np.zeros(50, np.int64), "abc"), METRIC)
    assert wrong["ece"] == pytest.approx(0.7)


def test_a_label_that_all_texts_or_none_bear_has_no_area() -> None:
    found = np.array([[0.9, 0.1, 0.0], [0.6, 0.4, 0.0], [0.8, 0.2, 0.0]])
    assert pooled(found, targets_of(np.zeros(3, np.int64), "abc"), METRIC)["roc_auc"] == 0.5
    area = pooled(found, targets_of(np.array([0, 1, 0]), "abc"), METRIC)["roc_auc"]
    assert area == 1  # of a and of b; none bears c


def test_a_label_that_was_called_impossible_costs_much_and_not_without_end() -> None:
    values = target_values(np.array([[1.0, 0.0]]), targets_of(np.array([1]), "ab"), METRIC)
    assert values["log_loss"].tolist() == [-np.log(EPSILON)]
    assert values["accuracy"].tolist() == [0]


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
