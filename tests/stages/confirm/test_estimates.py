import numpy as np
import pytest
from scipy import stats

from recsweep.records.confirmation import Estimate
from recsweep.stages.confirm.estimates import LEVEL, bounded, estimate_of


def test_an_estimate_of_one_seed_is_the_t_interval_over_learners() -> None:
    values = np.array([0.4, 0.5, 0.45, 0.6, 0.5])
    found = estimate_of(values[None])
    half = stats.t.ppf(0.975, 4) * stats.sem(values)
    assert LEVEL == 0.95
    assert found.mean == pytest.approx(0.49)
    assert (found.lower, found.upper) == pytest.approx((0.49 - half, 0.49 + half))


def test_an_interval_ends_where_its_metric_does() -> None:
    rows = np.array([[0.0, 0.1, 0.9, 1.0]])
    assert estimate_of(rows, "recall@5") == Estimate(0.5, 0.0, 1.0)
    free = estimate_of(rows, "bits")
    assert free.lower < 0
    assert free.upper > 1
    assert bounded((0.5, 0.2, 0.7), "recall@5") == Estimate(0.5, 0.2, 0.7)


def test_a_mean_beyond_the_bounds_is_still_in_its_interval() -> None:
    # Corrected for exposure, a metric can be.
    assert bounded((1.2, 1.1, 1.3), "recall@5") == Estimate(1.2, 1.0, 1.2)
    assert bounded((-0.2, -0.3, -0.1), "recall@5") == Estimate(-0.2, -0.2, 0.0)
