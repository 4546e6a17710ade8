"""Would more trials of a family find anything better? From the scores of those there are.

Peaks over a threshold (Pickands 1975): among n trials the k best exceed the next one by s on
average, and another trial beats the best by more than g with probability r exp(-g / s), an
exponential tail being heavier than one that ends, as a score's does. r, the chance of a new best,
is 1 / (n + 1) for trials drawn alike; a sampler that learns makes more of them, so that the last
n / 2 trials are asked how often they were a new best (with Jeffreys' prior), and the larger counts.
"""

import math
from collections.abc import Sequence

import numpy as np

FEWEST = 6
"""Trials of a family before anything is judged."""
LIMIT = 0.1
"""The chance below which no more trials are needed: of simulated searches less than 5% are
stopped too early with it (`benchmarks/enough.py`)."""


def chance_of_gain(goodness: Sequence[float], more: int, gain: float) -> float:
    """The probability that any of `more` trials beats the best one by more than `gain`.

    Args:
        goodness: of a family's trials in their order, more is better; without those that have none.
        more: trials that are left to it.
        gain: the smallest that matters.
    """
    n, half = len(goodness), len(goodness) // 2
    if n < FEWEST:
        return 1.0
    values = np.asarray(goodness, np.float64)
    best, k = np.sort(values)[::-1], max(3, math.ceil(n / 4))
    excess = float((best[:k] - best[k]).mean())
    if excess == 0:
        return 0.0
    records = int((np.diff(np.maximum.accumulate(values))[half - 1 :] > 0).sum())
    rate = max(1 / (n + 1), (records + 0.5) / (n - half + 1))
    return float(1 - (1 - rate * math.exp(-gain / excess)) ** more)
