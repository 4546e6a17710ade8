import numpy as np
from numpy.testing import assert_allclose

from recsweep.evaluation.variance import (
    seed_spread,
    spread_of_difference,
    without_rounding,
)


def test_the_parts_of_a_table_worked_by_hand() -> None:
    # Means of the two seeds 2 and 4, of the two learners 2 and 4; residuals ±1.
    spread = seed_spread(np.array([[2.0, 2.0], [2.0, 6.0]]))
    assert spread.seeds == 2
    assert spread.between == 1.0  # variance of (2, 4) is 2, over 2 seeds
    assert spread.interaction == 1.0  # 4 * 1^2 over 1 degree of freedom, over 2 seeds * 2 learners
    assert spread.added == 0.0


def test_seeds_that_shift_every_learner_alike_are_all_between() -> None:
    spread = seed_spread(np.array([[0.1, 0.5, 0.3], [0.2, 0.6, 0.4]]))
    assert_allclose(spread.added, 0.005 / 2)
    assert spread.interaction == 0.0


def test_one_seed_and_equal_seeds_show_no_spread() -> None:
    row = np.array([[0.1, 0.7, 0.3]])
    assert (seed_spread(row).seeds, seed_spread(row).added) == (1, 0.0)
    assert seed_spread(np.repeat(row, 5, axis=0)).between == 0.0


def test_the_variance_is_unbiased_where_learners_seeds_and_noise_mix() -> None:
    random = np.random.default_rng(0)
    seeds, learners, runs = 5, 30, 4000
    means, estimates = np.empty(runs), np.empty(runs)
    for run in range(runs):
        a, b = (
            random.normal(0, 1, learners)
            + random.normal(0, 0.5, (seeds, 1))
            + random.normal(0, 1, (seeds, learners))
            for _ in range(2)
        )
        paired = a.mean(axis=0) - b.mean(axis=0)
        means[run] = paired.mean()
        spread = spread_of_difference(paired, seed_spread(a), seed_spread(b), a)
        estimates[run] = spread.standard_error**2
    truth = 2 * (1 / 30 + 0.25 / 5 + 1 / 150)
    assert_allclose(means.var(), truth, rtol=0.08)
    assert_allclose(estimates.mean(), truth, rtol=0.04)


def test_degrees_of_freedom_lie_between_the_seeds_and_the_learners() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        a, b = random.random((2, 3, 12))
        paired = a.mean(axis=0) - b.mean(axis=0)
        freedom = spread_of_difference(paired, seed_spread(a), seed_spread(b), a).freedom
        assert freedom >= 2
        # Three independent parts at most: their degrees of freedom add up.
        assert freedom <= 11 + 2 + 2


def test_rounding_is_no_variance() -> None:
    values = np.full(7, 0.1) + 0.2
    assert without_rounding((values - values.mean() + 1e-17).var(), values) == 0.0
    assert without_rounding(1e-12, values) == 1e-12
