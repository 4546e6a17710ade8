"""Scores are scikit-learn's."""

import numpy as np
import pytest
from labels import targets_of
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from recsweep.config.schema import Metric
from recsweep.evaluation.probability import EPSILON
from recsweep.tasks.text.scores import pooled, target_values

METRIC = Metric(name="log_loss")


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


def test_a_label_that_one_text_alone_bears_has_an_area_as_the_others_have() -> None:
    answer = np.array([0, 0, 1, 2, 2, 2])
    found = np.random.default_rng(3).dirichlet(np.ones(3), 6)
    areas = [roc_auc_score(answer == n, found[:, n]) for n in range(3)]
    assert len(set(areas)) == 3
    area = pooled(found, targets_of(answer, "abc"), METRIC)["roc_auc"]
    assert area == pytest.approx(np.mean(areas), abs=1e-12)
