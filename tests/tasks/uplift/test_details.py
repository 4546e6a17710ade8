"""What a confirmation tells of treatments besides."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from treatments import treated_log, uplift_fold

from recsweep.config.schema import Metric
from recsweep.models.cases import labels_of
from recsweep.models.uplift import treatments_of
from recsweep.tasks.uplift.details import details_of


def test_the_curve_goes_from_nobody_to_the_effect_of_treating_all() -> None:
    targets = uplift_fold(treated_log(0)).validation
    labels = labels_of(targets)
    treated, bought = treatments_of(labels).treated.astype(bool), labels.bought
    scores, metric = np.linspace(0, 1, len(targets)), Metric(name="qini")
    found, turned = (details_of(order, targets, metric) for order in (scores, -scores))
    by_arm = bought[treated].mean() - bought[~treated].mean()
    assert len(found.curve) == 41
    assert found.curve[0] == 0
    assert found.curve[-1] == pytest.approx(by_arm)
    assert found.curve[20] != found.curve[-1]  # half of the way
    assert found.effect.value == pytest.approx(by_arm, abs=1e-6)
    assert found.effect.lower < found.effect.value < found.effect.upper
    assert found.rate == turned.rate == pytest.approx(bought[~treated].mean())
    assert found.treated == treated.sum()
    guessed = treatments_of(labels).guessed
    assert guessed is not None
    assert found.assignment_auc is not None
    assert found.assignment_auc.value == pytest.approx(roc_auc_score(treated, guessed))
    told = replace(labels, treatments=replace(treatments_of(labels), guessed=None))
    assert details_of(scores, replace(targets, labels=told), metric).assignment_auc is None
