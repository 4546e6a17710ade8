import numpy as np
import pytest
from scipy.stats import t

from recsweep.evaluation.estimate import estimate


def test_one_seed_gives_the_ordinary_t_interval() -> None:
    values = np.random.default_rng(0).normal(size=(1, 30))
    low, high = t.interval(0.95, 29, values.mean(), values.std(ddof=1) / np.sqrt(30))
    assert estimate(values) == pytest.approx((values.mean(), low, high))


def test_copies_of_a_seed_are_as_good_as_the_seed() -> None:
    values = np.random.default_rng(0).random((1, 30))
    assert estimate(np.repeat(values, 5, axis=0)) == pytest.approx(estimate(values))


def test_seeds_that_disagree_widen_it() -> None:
    values = np.random.default_rng(0).random((1, 200))
    apart = np.concatenate([values - 0.2, values, values + 0.2])
    _, low, high = estimate(apart)
    _, narrow_low, narrow_high = estimate(values)
    assert high - low > 3 * (narrow_high - narrow_low)


def test_one_learner_has_no_interval() -> None:
    assert estimate(np.array([[0.5], [0.5]])) == (0.5, 0.5, 0.5)


def test_a_mean_without_spread_is_a_point() -> None:
    assert estimate(np.full((3, 10), 0.1)) == pytest.approx((0.1, 0.1, 0.1))
