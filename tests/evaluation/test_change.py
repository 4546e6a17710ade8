from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, ttest_ind

from recsweep.data.types import Float64
from recsweep.errors import BadInput
from recsweep.evaluation.change import Change, changes, changes_of_estimates
from recsweep.evaluation.comparison import compare


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


def test_one_learner_and_a_missing_score_are_refused() -> None:
    with pytest.raises(BadInput, match="at least 2"):
        one([[0.1]], [[0.2]], paired=True)
    with pytest.raises(BadInput, match="finite"):
        one([[0.1, np.nan]], [[0.2, 0.3]], paired=False)
