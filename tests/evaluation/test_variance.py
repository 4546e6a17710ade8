import numpy as np
from numpy.testing import assert_allclose

from recsweep.data.types import Float64
from recsweep.evaluation.variance import (
    SeedSpread,
    satterthwaite,
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


def by_loops(table: Float64) -> tuple[float, float]:
    """Mean square of seeds over their number, and the interaction's part of it."""
    rows = table.tolist()
    seeds, learners = len(rows), len(rows[0])
    of_seed = [sum(row) / learners for row in rows]
    of_learner = [sum(row[n] for row in rows) / seeds for n in range(learners)]
    mean = sum(of_seed) / seeds
    between = sum((m - mean) ** 2 for m in of_seed) / (seeds - 1) / seeds
    left = sum(
        (rows[s][n] - of_seed[s] - of_learner[n] + mean) ** 2
        for s in range(seeds)
        for n in range(learners)
    )
    return between, left / ((seeds - 1) * (learners - 1)) / (learners * seeds)


def test_the_parts_of_any_table_are_those_of_a_crossed_analysis_of_variance() -> None:
    for seeds, learners in ((2, 3), (4, 7)):
        table = np.random.default_rng(seeds).random((seeds, learners))
        spread = seed_spread(table)
        assert_allclose((spread.between, spread.interaction), by_loops(table))
        assert spread.seeds == seeds
    alone = seed_spread(np.array([[0.1], [0.4]]))  # one learner leaves no interaction
    assert_allclose((alone.between, alone.interaction), (0.045 / 2, 0.0), atol=1e-15)


def test_degrees_of_freedom_are_satterthwaites() -> None:
    """Of a sum of mean squares, total² over the sum of each square over its own freedom."""
    learners, a, b = 0.3, SeedSpread(4, 0.5, 0.2), SeedSpread(3, 0.4, 0.1)
    total = 0.3 + (0.5 - 0.2) + (0.4 - 0.1)
    uncertain = 0.3**2 / 19 + (0.5**2 + 0.2**2 / 19) / 3 + (0.4**2 + 0.1**2 / 19) / 2
    seeds = [(np.asarray(each.between), each) for each in (a, b)]
    found = satterthwaite(np.asarray(learners), 20, seeds)
    assert_allclose(found, total**2 / uncertain)
    # A part that is not counted, as it is no more than the interaction, and one seed say nothing.
    none = [SeedSpread(5, 0.2, 0.2), SeedSpread(1, 0.0, 0.0)]
    seeds = [(np.asarray(each.between), each) for each in (a, *none)]
    uncertain = 0.3**2 / 19 + (0.5**2 + 0.2**2 / 19) / 3
    assert_allclose(satterthwaite(np.asarray(learners), 20, seeds), 0.6**2 / uncertain)
    assert satterthwaite(np.asarray(0.0), 20, []) == 19
    # Never below the fewest of any part that counts.
    huge = SeedSpread(4, 1.0, 0.9)
    seeds = [(np.asarray(1.0), huge)]
    assert satterthwaite(np.asarray(0.0), 20, seeds) == 3
    assert satterthwaite(np.asarray(0.0), 3, seeds) == 2


def test_the_variance_of_a_difference_is_that_of_learners_and_of_both_families_seeds() -> None:
    differences = np.array([0.1, 0.4, -0.2, 0.3])
    a, b = SeedSpread(4, 0.5, 0.2), SeedSpread(3, 0.1, 0.4)
    spread = spread_of_difference(differences, a, b, differences)
    learners = sum((d - 0.15) ** 2 for d in differences) / 3 / 4
    assert_allclose((spread.learners, spread.seeds), (learners, 0.3))
    assert_allclose(spread.standard_error, (learners + 0.3) ** 0.5)
    uncertain = learners**2 / 3 + (0.5**2 + 0.2**2 / 3) / 3
    assert_allclose(spread.freedom, max(3, (learners + 0.3) ** 2 / uncertain))


def test_rounding_is_told_by_the_largest_value() -> None:
    floor = (16 * 2.0**-52 * 3) ** 2
    values = np.array([1.0, -3.0])
    assert without_rounding(floor, values) == 0
    assert without_rounding(floor * 1.01, values) == floor * 1.01
    assert without_rounding(1e-300, np.zeros(0)) == 1e-300
