"""What a confirmation tells of treatments besides."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from treatments import treated_log, uplift_fold

from recsweep.config.schema import Metric
from recsweep.models.cases import labels_of
from recsweep.models.uplift import treatments_of
from recsweep.tasks.uplift.details import Interval, UpliftDetails, details_of


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


def test_intervals_are_those_of_the_mean_over_learners() -> None:
    """By the infinitesimal jackknife over learners, and the normal distribution's 97.5%."""
    targets = uplift_fold(treated_log(1)).validation
    labels = labels_of(targets)
    treatments = treatments_of(labels)
    found = details_of(np.linspace(0, 1, len(targets)), targets, Metric(name="qini"))
    treated, bought, of = treatments.treated, labels.bought, targets.sequence
    rates = bought[treated].mean(), bought[~treated].mean()
    # The derivative of a difference of two means by each row's weight.
    moved = np.where(
        treated,
        (bought - rates[0]) / treated.sum(),
        -(bought - rates[1]) / (~treated).sum(),
    )
    learners = np.bincount(of, weights=moved)
    error = np.sqrt(len(learners) / (len(learners) - 1) * (learners**2).sum())
    away = norm.ppf(0.975) * error
    assert found.effect.value == pytest.approx(rates[0] - rates[1])
    assert found.effect.lower == pytest.approx(found.effect.value - away)
    assert found.effect.upper == pytest.approx(found.effect.value + away)
    assert found.budget == 0.3


def test_a_curve_has_a_point_at_every_fortieth_of_the_share() -> None:
    targets = uplift_fold(treated_log(0)).validation
    labels = labels_of(targets)
    treated, bought = treatments_of(labels).treated, labels.bought
    n = len(targets)
    found = details_of(-np.arange(n) * 1.0, targets, Metric(name="qini")).curve
    a, m = np.cumsum(bought & treated), np.cumsum(treated)
    b, c = np.cumsum(bought & ~treated), np.cumsum(~treated)
    qini = (a - np.where(c > 0, b * m / np.maximum(c, 1), 0)) / treated.sum()
    want = np.interp(np.arange(41) / 40, np.arange(n + 1) / n, np.append(0, qini))
    assert found == pytest.approx(want)


@pytest.mark.parametrize(
    ("lower", "depends"), [(0.4, False), (0.5, False), (0.51, True), (None, False)]
)
def test_treatment_depends_on_features_where_they_tell_it_better_than_a_coin(
    lower: float | None, depends: bool
) -> None:
    area = None if lower is None else Interval(value=0.6, lower=lower, upper=0.7)
    none = Interval(value=0, lower=0, upper=0)
    found = UpliftDetails(
        curve=(0.0, 1.0), effect=none, rate=0.1, treated=3, budget=0.3, assignment_auc=area
    )
    assert found.depends_on_features is depends
