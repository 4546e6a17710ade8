from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, t, ttest_ind

from recsweep.data.types import Float64
from recsweep.errors import BadInput
from recsweep.evaluation.change import Change, changes, changes_of_estimates
from recsweep.evaluation.comparison import compare
from recsweep.evaluation.variance import SeedSpread, seed_spread, spread_of_difference


def one(before: Any, after: Any, *, paired: bool, level: float = 0.95) -> Change:
    tables = {"gru": (np.atleast_2d(before), np.atleast_2d(after))}
    found = changes(
        tables, paired=paired, smallest_effect=0.01, resamples=2000, seed=0, level=level
    )
    return found["gru"]


def values(seed: int, learners: int = 200, seeds: int = 1, shift: float = 0.0) -> Float64:
    return np.random.default_rng(seed).normal(0.3 + shift, 0.2, (seeds, learners))


def test_other_learners_are_compared_as_welch_does() -> None:
    before, after = values(0), values(1, 320, shift=0.05)
    found = one(before, after, paired=False)
    welch = ttest_ind(after[0], before[0], equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert found.p == pytest.approx(welch.pvalue)
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high))
    assert not found.paired


def test_the_same_learners_are_compared_as_two_families_would_be() -> None:
    before = values(0, seeds=3)
    after = before + np.random.default_rng(9).normal(0.03, 0.02, before.shape)
    found = one(before, after, paired=True)
    (v,) = compare({"after": after, "before": before}, 0.01, 2000, 0)
    assert (found.difference, found.lower, found.upper) == (v.difference, v.lower, v.upper)
    assert found.outcome == "better"
    unpaired = one(before, after, paired=False)
    assert unpaired.upper - unpaired.lower > 3 * (found.upper - found.lower)


def test_a_study_against_itself_shows_no_change_of_any_size() -> None:
    table = values(0, seeds=3)
    found = one(table, table, paired=True)
    assert found.difference == 0
    assert (
        -found.lower == found.upper == pytest.approx(np.ptp(table.mean(axis=0)) * 3 / 200, rel=0.02)
    )
    assert found.outcome == "no difference shown"  # such learners are too few to tell
    assert found.p == 1


def test_more_quantities_make_every_interval_wider_and_every_p_larger() -> None:
    pair = (values(0), values(1, shift=0.06))
    alone = one(*pair, paired=False)
    tables = dict.fromkeys("abcd", pair)
    together = changes(
        tables, paired=False, smallest_effect=0.01, resamples=2000, seed=0, level=0.95
    )
    assert together["a"].p == pytest.approx(4 * alone.p)
    assert together["a"].upper > alone.upper
    assert together["a"] == together["d"]


def test_no_quantity_has_no_change() -> None:
    settings: Any = {"smallest_effect": 0.01, "level": 0.95}
    assert changes({}, paired=True, resamples=2000, seed=0, **settings) == {}
    assert changes_of_estimates({}, **settings) == {}


def test_recorded_means_and_errors_are_compared_with_a_normal_interval() -> None:
    found = changes_of_estimates({"gru": ((0.30, 0.03), (0.42, 0.04))}, 0.01, 0.95)["gru"]
    assert found.difference == pytest.approx(0.12)
    assert found.upper - found.lower == pytest.approx(2 * norm.ppf(0.975) * 0.05)
    assert found.p == pytest.approx(2 * norm.sf(0.12 / 0.05))
    assert found.outcome == "better"


def test_learners_without_any_spread_leave_no_doubt() -> None:
    same = np.full((1, 5), 0.25)
    assert one(same, same, paired=False).p == 1
    assert one(same, same + 0.5, paired=False).p == 0
    # The mean of 390 times 0.3 is the next number below it.
    rounded = one(np.full((1, 290), 0.3), np.full((1, 390), 0.3), paired=False)
    assert (rounded.p, rounded.difference, rounded.lower, rounded.upper) == (1, 0, 0, 0)


def test_one_learner_and_a_missing_score_are_refused() -> None:
    with pytest.raises(BadInput, match="at least 2"):
        one([[0.1]], [[0.2]], paired=True)
    with pytest.raises(BadInput, match="finite"):
        one([[0.1, np.nan]], [[0.2, 0.3]], paired=False)


def test_recorded_means_without_any_error_leave_no_doubt() -> None:
    estimates = {"same": ((0.3, 0.0), (0.3, 0.0)), "other": ((0.3, 0.0), (0.4, 0.0))}
    found = changes_of_estimates(estimates, 0.01, 0.95)
    assert (found["same"].p, found["same"].outcome) == (1, "equivalent")
    assert (found["other"].p, found["other"].outcome) == (0, "better")
    assert (found["other"].before, found["other"].after, found["other"].paired) == (0.3, 0.4, False)


def test_recorded_means_are_adjusted_for_all_of_them() -> None:
    pair = ((0.30, 0.03), (0.34, 0.04))
    found = changes_of_estimates({"a": pair, "b": pair, "c": pair}, 0.01, 0.9)["b"]
    half = norm.ppf(1 - 0.1 / 3 / 2) * 0.05
    assert (found.lower, found.upper) == pytest.approx((0.04 - half, 0.04 + half))
    assert found.p == 1  # three times .42
    worse = changes_of_estimates({"a": ((0.6, 0.03), (0.3, 0.04)), "b": pair}, 0.01, 0.9)["a"]
    assert worse.outcome == "worse"
    assert worse.p == pytest.approx(4 * norm.sf(0.3 / 0.05))


def test_other_learners_of_several_seeds_add_the_seeds_spread_of_both_studies() -> None:
    """By the parts of each study's variance, and Satterthwaite's freedom of their sum."""
    before = values(0, 40, seeds=3) + np.array([[0.0], [0.2], [0.5]])
    after = values(1, 60, seeds=2, shift=0.3) + np.array([[0.0], [0.4]])
    found = one(before, after, paired=False, level=0.9)
    variances, freedoms = [], []
    for table in (before, after):
        spread = spread_of_difference(
            table.mean(axis=0), seed_spread(table), SeedSpread(1, 0.0, 0.0), table
        )
        variances.append(spread.learners + spread.seeds)
        freedoms.append(spread.freedom)
    parts = zip(variances, freedoms, strict=True)
    freedom = sum(variances) ** 2 / sum(v**2 / f for v, f in parts)
    half = t.ppf(0.95, freedom) * sum(variances) ** 0.5
    difference = after.mean() - before.mean()
    assert (found.before, found.after) == pytest.approx((before.mean(), after.mean()))
    assert found.difference == pytest.approx(difference)
    assert (found.lower, found.upper) == pytest.approx((difference - half, difference + half))
    assert found.p == pytest.approx(2 * t.sf(difference / sum(variances) ** 0.5, freedom))


def test_so_few_other_learners_that_a_kind_may_be_unseen_are_not_equivalent() -> None:
    """Three in n of them may differ by all that the metric allows."""

    def outcome(learners: int, more: int, bound: float | None) -> str:
        tables = {"gru": (np.full((1, learners), 0.3), np.full((1, learners + more), 0.3))}
        return changes(
            tables, paired=False, smallest_effect=0.01, resamples=99, seed=0, level=0.95,
            bound=bound,
        )["gru"].outcome  # fmt: skip

    assert outcome(290, 100, 1.0) == "no difference shown"  # 1 - .05^(1 / 290) is .0103
    assert outcome(300, 100, 1.0) == "equivalent"
    assert outcome(300, -100, 1.0) == "no difference shown"  # the fewer of both decide
    assert outcome(20, 0, None) == "equivalent"


def test_resamples_are_enough_for_a_level_over_many_quantities() -> None:
    pair = (values(0, 20), values(1, 20))
    tables = dict.fromkeys([str(n) for n in range(12)], pair)
    found = changes(tables, paired=True, smallest_effect=0.01, resamples=9, seed=0, level=0.9)
    resamples = 40 * 12 * 10  # forty beyond the level of each
    each = 1 - 0.1 / 12
    (v,) = compare({"after": pair[1], "before": pair[0]}, 0.01, resamples, 0, each)
    assert (found["7"].lower, found["7"].upper) == (v.lower, v.upper)
    assert found["7"].p == min(1, 12 * v.p)
    assert found["7"].paired


@pytest.mark.parametrize("paired", [True, False])
def test_no_change_reaches_beyond_what_it_can_be(paired: bool) -> None:
    apart = np.array([[0.2], [0.7]]) + np.zeros(30)
    settings: dict[str, Any] = {
        "smallest_effect": 0.01,
        "resamples": 2000,
        "seed": 0,
        "level": 0.95,
    }
    tables = {"gru": (np.full((2, 30), 0.4), apart)}
    free = changes(tables, paired=paired, **settings)["gru"]
    held = changes(tables, paired=paired, bound=1.0, **settings)["gru"]
    assert free.lower < -1 < 1 < free.upper
    assert (held.lower, held.upper, held.p) == (-1.0, 1.0, free.p)
