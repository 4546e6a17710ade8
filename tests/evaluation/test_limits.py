import math

import numpy as np
import pytest
from scipy import stats

from recsweep.evaluation.comparison import compare
from recsweep.evaluation.limits import differs, is_skewed, largest_difference, possible, unseen
from recsweep.evaluation.variance import SeedSpread, spread_of_difference
from recsweep.evaluation.verdict import PairVerdict, decide

ONE = SeedSpread(1, 0.0, 0.0)
NOBODY = 0.005


def against_zero(differences: np.ndarray, smallest_effect: float = NOBODY) -> PairVerdict:
    values = {"a": differences[None], "b": np.zeros((1, len(differences)))}
    return compare(values, smallest_effect, 999, 0, bound=1.0)[0]


@pytest.mark.parametrize("learners", [20, 100, 1000])
def test_the_rule_of_three_is_the_exact_upper_bound_of_a_share_that_nobody_was_seen_of(
    learners: int,
) -> None:
    # Clopper and Pearson's one-sided bound of 0 hits; about 3/n at 5%.
    exact = stats.binomtest(0, learners, alternative="less").proportion_ci(0.95).high
    assert unseen(learners, 1.0, 0.05) == pytest.approx(exact)
    assert unseen(learners, 0.3, 0.05) == pytest.approx(0.3 * exact)
    assert unseen(learners, 1.0, 0.05) == pytest.approx(3 / learners, rel=0.1)


def test_where_no_learner_differs_the_interval_is_the_rule_of_three_s() -> None:
    verdict = against_zero(np.zeros(30))
    assert (verdict.outcome, verdict.caveats) == ("no difference shown", ())
    assert verdict.upper == -verdict.lower == pytest.approx(1 - 0.05 ** (1 / 30))
    many = against_zero(np.zeros(800))
    assert (many.outcome, many.caveats) == ("equivalent", ())
    assert many.upper == pytest.approx(3 / 800, rel=0.01)


def test_learners_that_hardly_differ_are_equivalent_once_there_are_enough() -> None:
    small = np.random.default_rng(0).normal(0, 0.001, 800)
    few, enough = against_zero(small[:30]), against_zero(small)
    assert (few.outcome, few.caveats) == ("no difference shown", ("few learners",))
    assert "too few sessions to call them equivalent" in few.sentence("ndcg@10", unit="sessions")
    assert (enough.outcome, enough.caveats) == ("equivalent", ())


@pytest.mark.parametrize("learners", [20, 30, 100, 300])
def test_false_equivalence_is_rare_where_one_learner_of_a_hundred_decides(learners: int) -> None:
    random = np.random.default_rng(learners)
    worlds = [(random.random(learners) < 2 * NOBODY).astype(float) for _ in range(100)]
    found = [against_zero(world) for world in worlds]
    assert sum(verdict.outcome == "equivalent" for verdict in found) == 0
    missed = sum(not verdict.lower <= 2 * NOBODY <= verdict.upper for verdict in found)
    assert missed <= 12  # the 99.5% point of 100 at 5%


def test_too_few_learners_never_make_a_win_of_what_lies_within_the_margin() -> None:
    assert decide(-0.001, 0.002, 0.005, unseen=0.1) == "no difference shown"
    assert decide(0.02, 0.03, 0.005, unseen=0.1) == "better"


def test_cochran_s_rule_is_25_times_the_squared_skewness() -> None:
    random = np.random.default_rng(1)
    for spread_of_logarithms in (0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5):
        for learners in (30, 100, 300, 1000):
            drawn = random.lognormal(0, spread_of_logarithms, learners)
            spread = spread_of_difference(drawn, ONE, ONE, drawn)
            # With n - 1 in the variance, as the interval has it.
            g1 = float(stats.skew(drawn)) * ((learners - 1) / learners) ** 1.5
            assert is_skewed(drawn, spread) == (learners < 25 * g1**2)


def test_seeds_that_are_most_of_the_spread_hide_the_learners_skew() -> None:
    drawn = np.random.default_rng(2).lognormal(0, 1.5, 100)
    alone = spread_of_difference(drawn, ONE, ONE, drawn)
    with_seeds = spread_of_difference(drawn, SeedSpread(5, 50 * alone.learners, 0.0), ONE, drawn)
    assert is_skewed(drawn, alone)
    assert not is_skewed(drawn, with_seeds)


@pytest.mark.parametrize("learners", [30, 100, 300])
def test_heavy_skew_is_never_passed_over_in_silence(learners: int) -> None:
    random = np.random.default_rng(learners)
    truth = math.exp(1.5**2 / 2)
    found = [against_zero(random.lognormal(0, 1.5, learners) - truth) for _ in range(150)]
    wrong = [v for v in found if not v.lower <= 0 <= v.upper]
    assert len(wrong) >= 8  # this is why there is a caveat
    assert sum("skewed" not in v.caveats for v in wrong) <= 4
    assert "may be too narrow" in next(v for v in wrong if v.caveats).sentence("ndcg@10")


def test_what_a_learner_may_differ_by_is_what_is_seen_where_that_is_more() -> None:
    a, b = np.array([0.2, 3.0]), np.array([0.5, 0.1])
    assert largest_difference(a, b, None) == pytest.approx(2.9)
    assert largest_difference(b, a, 1.0) == pytest.approx(2.9)
    assert largest_difference(a / 10, b / 10, 1.0) == 1.0


def test_what_rounding_leaves_is_no_difference() -> None:
    scale = np.array([0.3, 0.1])
    floor = 16 * 2.0**-52 * 0.3
    assert not differs(np.array([0.0, -floor]), scale)
    assert differs(np.array([0.0, -1.01 * floor]), scale)
    assert not differs(np.zeros(2), np.zeros(2))


def test_learners_who_all_differ_alike_have_no_skew() -> None:
    same = np.full(5, 0.2)
    spread = spread_of_difference(same, SeedSpread(2, 1.0, 0.0), ONE, same)
    assert is_skewed(same, spread) is False


def test_an_interval_is_cut_off_where_no_difference_can_be() -> None:
    assert possible(-3.0, 0.5, 1.0) == (-1.0, 0.5)
    assert possible(0.2, 7.0, 1.0) == (0.2, 1.0)
    assert possible(-3.0, 7.0, None) == (-3.0, 7.0)
