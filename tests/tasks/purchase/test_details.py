"""Decisions and reliability are those of thresholds found on other learners."""

import numpy as np
import pytest
from purchases import fold_of, random_log
from sklearn.metrics import f1_score, precision_score, recall_score

from recsweep.config.schema import Metric
from recsweep.evaluation.probability import BINS, decisions, reliability
from recsweep.models.cases import labels_of
from recsweep.tasks.purchase.details import details_of
from recsweep.tasks.purchase.scores import final_probability


@pytest.mark.parametrize("calibration", ["none", "platt"])
def test_both_answers_are_those_of_scikit_learn_after_the_calibrator(calibration: str) -> None:
    targets = fold_of(random_log(0)).validation
    metric = Metric.model_validate({"name": "log_loss", "calibration": calibration})
    said = np.random.default_rng(0).uniform(0.01, 0.99, len(targets))
    bought = labels_of(targets).bought
    probability = final_probability(said, targets, metric)
    taken, thresholds = decisions(probability, bought, targets.sequence)
    found = details_of(said, targets, metric)
    assert found.threshold == pytest.approx(sum(thresholds) / len(thresholds))
    assert list(found.answers) == ["no purchase", "purchase"]
    for yes, answer in enumerate(found.answers.values()):
        right = {"y_true": bought, "y_pred": taken, "pos_label": yes, "zero_division": 0}
        assert answer.precision == pytest.approx(precision_score(**right))
        assert answer.recall == pytest.approx(recall_score(**right))
        assert answer.f1 == pytest.approx(f1_score(**right))
        assert answer.support == (bought == yes).sum()
    assert found.reliability == reliability(probability, bought, BINS)
