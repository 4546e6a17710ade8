"""Budget curves: the expected best of n trials against what they cost.

A study's N trials are one draw from a family's search; another draw of n <= N of them would have
ended with another best. These curves average over all such draws, so that families are compared at
equal budgets below the full one as well.

Trials count with their best value so far even if they were stopped early: that is what the search
had in hand. A failed trial costs its share of the budget and counts as `floor`. With a sampler that
learns from its trials the order is not exchangeable and the curve is a description of the values
found, not a forecast of a shorter search.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import gammaln

from recsweep.data.types import Float64


def expected_best(values: Sequence[float | None], floor: float = 0.0) -> Float64:
    """(N,) expected best value of n trials drawn without replacement, for n = 1 … N.

    The unbiased estimator of Tang et al. 2020 ("Showing Your Work Doesn't Always Work", ACL), which
    corrects the biased one of Dodge et al. 2019. With values in ascending order v_1 … v_N it is

        sum over i of v_i C(i - 1, n - 1) / C(N, n),

    the mean of the maximum over all C(N, n) subsets; ties need no care, for any order among equals
    gives the same sum.

    Args:
        values: one a trial; None or nan for a failed one.
        floor: the metric's value for having nothing.
    """
    ascending = np.sort(_filled(values, floor))
    total = len(ascending)
    rank = np.arange(1, total + 1)  # i, from 1
    draws = rank[:, None]  # n
    # Logarithms, as C(N, n) overflows from about 1,030 trials.
    chosen = _log_choose(rank - 1, draws - 1) - _log_choose(np.full(total, total), draws)
    weights = np.where(rank >= draws, np.exp(np.minimum(chosen, 0.0)), 0.0)
    best: Float64 = weights @ ascending
    return best


def expected_best_by_seconds(
    values: Sequence[float | None],
    seconds: Sequence[float],
    at: Sequence[float],
    floor: float = 0.0,
    orders: int = 1000,
    seed: int = 0,
) -> Float64:
    """(len(at),) expected best value found by one worker within each number of seconds.

    The mean over random orders of the trials, run one after the other; a trial counts once it has
    ended, and `floor` stands where none has. Subsets that fit a time have no closed form, so this
    is a Monte Carlo mean, repeatable by its seed; beyond the sum of all seconds it is the best
    value itself.
    """
    found, cost = _filled(values, floor), np.asarray(seconds, dtype=np.float64)
    if len(found) != len(cost):
        raise ValueError(f"{len(found)} values, but {len(cost)} durations")
    times = np.asarray(at, dtype=np.float64)
    random = np.random.default_rng(seed)
    total = np.zeros(len(times))
    for _ in range(orders):
        order = random.permutation(len(found))
        best = np.maximum.accumulate(np.concatenate([[floor], found[order]]))
        ended = np.cumsum(cost[order])
        total += best[np.searchsorted(ended * (1 - 1e-12), times, side="right")]
    return total / orders


def _filled(values: Sequence[float | None], floor: float) -> Float64:
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.where(np.isnan(numbers), floor, np.maximum(numbers, floor))


def _log_choose(n: np.ndarray, k: np.ndarray) -> Float64:
    """log C(n, k); only meaningful where 0 <= k <= n."""
    inside: Float64 = gammaln(n + 1) - gammaln(k + 1) - gammaln(np.maximum(n - k, 0) + 1)
    return inside
