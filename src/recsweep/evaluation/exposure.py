"""How evenly a model's lists spread over the catalogue, with intervals.

Neither figure belongs to a learner, so groups of learners stand for them: see `jackknife.py`.
"""

from collections.abc import Callable

import numpy as np

from recsweep.data.types import Float64, Mask
from recsweep.evaluation.jackknife import apart

SHORT_HEAD = 0.8
"""Of all events in training: the fewest courses that hold as many are the short head, others the
long tail (Abdollahpouri et al. 2017, RecSys)."""


def coverage(exposure: Float64) -> float:
    """Share of the courses that are in any list."""
    return float((exposure > 0).mean())


def gini(exposure: Float64) -> float:
    """0: every course is shown alike; towards 1: few courses take all places.

    Σ (2 i - n - 1) x_i / (n Σ x) over the n courses in ascending order, i from 1.
    """
    ordered = np.sort(exposure)
    n, total = len(ordered), ordered.sum()
    if total == 0:
        return 0.0
    return float(((2 * np.arange(1, n + 1) - n - 1) * ordered).sum() / (n * total))


EXPOSURE: dict[str, Callable[[Float64], float]] = {"coverage": coverage, "gini": gini}


def over_groups(figure: Callable[[Float64], float], exposure: Float64) -> Float64:
    """(n_groups,) pseudo-values whose mean is the figure of all lists.

    Args:
        figure: of (n_items,) exposure.
        exposure: (n_groups, n_items) how much each group's lists show of each course.
    """
    whole = exposure.sum(axis=0)
    without = np.array([figure(whole - part) for part in exposure])
    found: Float64 = apart(np.array([figure(whole)]), without[None])[0]
    return found


def long_tail(counts: Float64) -> Mask:
    """(n_items,) courses outside of the short head, by their events in training; of equal counts
    the first courses come first.
    """
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    tail = np.empty(len(counts), bool)
    tail[order] = before >= SHORT_HEAD * counts.sum()
    return tail
