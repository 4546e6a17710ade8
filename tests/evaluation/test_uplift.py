"""Metrics of treatments against the same written as plain loops, row by row."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from recsweep.data.types import Float64, Mask
from recsweep.evaluation.probability import linearised_by_learner
from recsweep.evaluation.uplift import UpliftRows, auc_values, metrics

Rows = tuple[Float64, Mask, Mask, Float64]  # score, outcome, treated, propensity
BUDGET = 0.3


def made_up(n: int, seed: int, *, coin: bool = True, decimals: int = 1) -> Rows:
    random = np.random.default_rng(seed)
    score = random.normal(size=n).round(decimals)
    propensity = np.full(n, 0.4) if coin else random.uniform(0.2, 0.8, n).round(2)
    treated = random.random(n) < propensity
    treated[:2] = True, False
    outcome = random.random(n) < 0.3 + 0.2 * treated * (score > 0)
    return score, outcome, treated, propensity


def expectations(n: int) -> Float64:
    return np.random.default_rng(1).uniform(0, 1, (n, 2))


def plain(rows: Rows, expected: Float64) -> dict[str, float]:
    """The definitions, with a loop over the runs of equal scores and one over rows."""
    score, outcome, treated, propensity = (column.tolist() for column in rows)
    n = len(score)

    def sums(share_of: list[float]) -> tuple[float, float, float, float]:
        a = m = b = c = 0.0
        for i in range(n):
            if treated[i]:
                a += share_of[i] * outcome[i] / propensity[i]
                m += share_of[i] / propensity[i]
            else:
                b += share_of[i] * outcome[i] / (1 - propensity[i])
                c += share_of[i] / (1 - propensity[i])
        return a, m, b, c

    total = sums([1.0] * n)[1]
    curve = [(0.0, 0.0, 0.0)]
    for cut in sorted(set(score), reverse=True):
        inside = [float(score[i] >= cut) for i in range(n)]
        a, m, b, c = sums(inside)
        share = sum(inside) / n
        qini = (a - (b * m / c if c else 0.0)) / total
        uplift = share * ((a / m if m else 0.0) - (b / c if c else 0.0))
        curve.append((share, qini, uplift))
    qini = -curve[-1][1] / 2
    auuc = 0.0
    for (x0, q0, u0), (x1, q1, u1) in pairwise(curve):
        qini += (x1 - x0) * (q0 + q1) / 2
        auuc += (x1 - x0) * (u0 + u1) / 2

    def first(share: float) -> list[float]:
        """How much of each row is within; equals at the border in equal parts."""
        out = []
        for i in range(n):
            above = sum(s > score[i] for s in score)
            equal = sum(s == score[i] for s in score)
            out.append(min(max((share * n - above) / equal, 0.0), 1.0))
        return out

    a, m, b, c = sums(first(0.1))
    ips = dr = 0.0
    for i, within in enumerate(first(BUDGET)):
        policy = within if score[i] > 0 else 0.0
        chance = propensity[i] if treated[i] else 1 - propensity[i]
        follows = (policy if treated[i] else 1 - policy) / chance
        without, with_ = expected[i]
        ips += outcome[i] * follows / n
        dr += (policy * with_ + (1 - policy) * without) / n
        dr += follows * (outcome[i] - (with_ if treated[i] else without)) / n
    return {
        "qini": qini,
        "auuc": auuc,
        "uplift_top_tenth": (a / m if m else 0.0) - (b / c if c else 0.0),
        "policy_value_ips": ips,
        "policy_value_dr": dr,
    }


def means(rows: Rows, expected: Float64) -> dict[str, float]:
    table = UpliftRows(*rows)
    found = metrics(table, BUDGET, expected)
    return {name: float(table.values(value).mean()) for name, value in found.items()}


@pytest.mark.parametrize("coin", [True, False])
@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_metrics_are_what_plain_loops_give(coin: bool, decimals: int) -> None:
    for seed, n in enumerate((2, 7, 60, 113)):
        rows = made_up(n, seed, coin=coin, decimals=decimals)
        expected = expectations(n)
        assert means(rows, expected) == pytest.approx(plain(rows, expected), rel=0, abs=1e-12)


# What scikit-uplift 0.5.1 gives of `made_up(200, seed)`: the area between `qini_curve` and the line
# to its end, by n times the number of the treated; the area under `uplift_curve`, by n squared; and
# `uplift_at_k` overall at 10%, of scores without ties.
OF_SCIKIT_UPLIFT: dict[int, list[dict[str, float]]] = {
    0: [
        {"qini": 0.02685643280992407, "auuc": 0.08217936082972903},
        {
            "qini": 0.027477152170880325,
            "auuc": 0.08275709590403536,
            "uplift_top_tenth": 0.2666666666666667,
        },
    ],
    1: [
        {"qini": 0.08873335597821107, "auuc": 0.06882493454809513},
        {
            "qini": 0.08963043923614188,
            "auuc": 0.09437134369855169,
            "uplift_top_tenth": 0.5833333333333334,
        },
    ],
}


@pytest.mark.parametrize("seed", list(OF_SCIKIT_UPLIFT))
def test_metrics_are_what_scikit_uplift_gives(seed: int) -> None:
    for decimals, values in zip((1, 9), OF_SCIKIT_UPLIFT[seed], strict=True):
        found = means(made_up(200, seed, decimals=decimals), np.zeros((200, 2)))
        for name, value in values.items():
            assert found[name] == pytest.approx(value, rel=0, abs=1e-12), name


def test_by_hand() -> None:
    """Four rows, the highest first: treated yes, untreated no, treated no, untreated yes."""
    score = np.array([4.0, 3.0, 2.0, 1.0])
    outcome, treated = np.array([1, 0, 0, 1], bool), np.array([1, 0, 1, 0], bool)
    found = means((score, outcome, treated, np.full(4, 0.5)), np.zeros((4, 2)))
    # The Qini curve is 0, 1/2, 1/2, 1/2, 0 at shares 0, 1/4, 1/2, 3/4, 1.
    assert found["qini"] == pytest.approx(3 / 8)
    # The uplift curve is 0, 1/4 (1 - 0), 1/2 (1 - 0), 3/4 (1/2 - 0), 1/2 - 1/2.
    assert found["auuc"] == pytest.approx((1 / 4 + 1 / 2 + 3 / 8) / 4)
    # 30% of four rows are the first, and a fifth of the second: 2 (1 + 4/5 * 0 + 1 + 0) / 4.
    assert found["policy_value_ips"] == pytest.approx((2 * 1 + 2 * 1) / 4)


@given(st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_only_the_order_of_scores_has_a_say_and_not_that_of_rows(seed: int) -> None:
    rows = made_up(40, seed)
    score, outcome, treated, propensity = rows
    order = np.random.default_rng(seed).permutation(40)
    moved = (np.exp(score)[order], outcome[order], treated[order], propensity[order])
    one, other = (means(each, np.full((40, 2), 0.3)) for each in (rows, moved))
    for name in ("qini", "auuc", "uplift_top_tenth"):
        assert one[name] == pytest.approx(other[name], abs=1e-12)


def test_a_score_that_is_the_same_for_everybody_has_no_qini_and_no_spread() -> None:
    _, outcome, treated, propensity = made_up(80, 0)
    table = UpliftRows(np.ones(80), outcome, treated, propensity)
    np.testing.assert_allclose(table.values(table.qini), 0, atol=1e-15)


def test_a_policy_treats_nobody_whose_predicted_difference_is_not_above_0() -> None:
    score, outcome, treated, propensity = made_up(200, 3)
    table = UpliftRows(-np.abs(score), outcome, treated, propensity)
    value = table.values(table.policy_value(BUDGET)).mean()
    assert value == pytest.approx((outcome * ~treated / (1 - propensity)).mean())


def test_a_right_outcome_model_leaves_nothing_to_weigh() -> None:
    """Outcomes that the model knows: the doubly robust value is the truth without any noise."""
    score, _, treated, propensity = made_up(200, 4, coin=False)
    without, with_ = score > 1, score > -0.5
    outcome = np.where(treated, with_, without)
    expected = np.stack((without, with_), axis=1).astype(float)
    table = UpliftRows(score, outcome, treated, propensity)
    found = table.values(table.policy_value(1.0, expected)).mean()
    assert found == pytest.approx(np.where(score > 0, with_, without).mean())


def test_a_rows_value_is_the_metric_and_its_slope_by_the_rows_weight() -> None:
    rows = made_up(50, 5, coin=False)
    table, step = UpliftRows(*rows), 1e-6
    for name, metric in metrics(table, BUDGET, expectations(50)).items():
        values, one = table.values(metric), torch.ones(50, dtype=torch.float64)
        for n in (0, 20, 49):
            up, down = one.clone(), one.clone()
            up[n] += step
            down[n] -= step
            slope = float(metric(up) - metric(down)) / (2 * step)
            assert values[n] == pytest.approx(float(metric(one)) + 50 * slope, abs=1e-5), name


def test_the_spread_over_learners_is_that_of_new_samples() -> None:
    """Learners with several rows each; the standard error against what 300 samples show."""

    def sample(seed: int) -> tuple[float, float]:
        random = np.random.default_rng(seed)
        learners = np.repeat(np.arange(150), random.integers(1, 6, 150)).astype(np.int32)
        liking = random.normal(size=150)[learners]
        treated = random.random(len(learners)) < 0.5
        outcome = random.random(len(learners)) < 0.3 + 0.3 * treated * (liking > 0)
        table = UpliftRows(liking, outcome, treated, np.full(len(learners), 0.5))
        values = linearised_by_learner(table.values(table.qini), learners)
        return float(values.mean()), float(values.std() / len(values) ** 0.5)

    found = np.array([sample(seed) for seed in range(300)])
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.12)


def test_the_area_under_the_roc_curve_is_scikit_learns() -> None:
    score, yes, _, _ = made_up(300, 6)
    assert auc_values(score, yes).mean() == pytest.approx(roc_auc_score(yes, score), abs=1e-12)
    above = (score[yes][:, None] > score[~yes]) + 0.5 * (score[yes][:, None] == score[~yes])
    by_delong = sum(above.mean(axis=axis).var() / above.shape[1 - axis] for axis in (0, 1))
    assert auc_values(score, yes).var() / len(yes) == pytest.approx(by_delong, abs=1e-12)
