"""Intervals of metrics that no single learner has a value of, such as an area under a curve."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import stdtrit

from recsweep.data.types import Int32, Int64

GROUPS = 10


def jackknife(
    metrics: Callable[[Int64], Mapping[str, float]], sequence: Int32, level: float = 0.95
) -> dict[str, tuple[float, float, float]]:
    """Metric -> (value, lower, upper), by leaving out a tenth of the learners at a time.

    The delete-a-group jackknife (Kott 2001, eq. 2) with a t interval. Learners are dealt into
    groups at random, the same ones for the same number of learners.

    Args:
        metrics: of the examples at some positions.
        sequence: (n_examples,) which learner an example belongs to.
        level: of each interval for itself.
    """
    group = (np.random.default_rng(0).permutation(int(sequence.max()) + 1) % GROUPS)[sequence]
    whole = metrics(np.arange(len(sequence)))
    parts = [metrics(np.flatnonzero(group != g)) for g in range(GROUPS) if (group == g).any()]
    quantile = -float(stdtrit(len(parts) - 1, (1 - level) / 2)) if len(parts) > 1 else 0.0
    out = {}
    for name, value in whole.items():
        without = np.array([part[name] for part in parts])
        share = (len(parts) - 1) / len(parts)
        half = quantile * float(np.sqrt(share * ((without - value) ** 2).sum()))
        out[name] = (value, value - half, value + half)
    return out
