"""Do two studies put the same families in the same order?

Kendall's τ-b and Spearman's ρ between the families' means. Their intervals are percentiles over
resamples of each study's learners, all families together, and of each family's seeds, and reach the
value where they would not. Noise draws a correlation towards 0: so a value below 1 is no proof that
the orders differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, spearmanr

from recsweep.data.types import Float64
from recsweep.evaluation.resampling import learner_weights

FEWEST = 3
"""Families that an order has to have for a correlation to say anything."""


@dataclass(frozen=True, slots=True)
class Correlation:
    """Of ranks, between -1 and 1."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class RankAgreement:
    """How alike two orders of the same families are."""

    kendall: Correlation
    spearman: Correlation
    turned: int  # pairs of families whose order differs
    pairs: int


def rank_agreement(
    before: Mapping[str, Float64],
    after: Mapping[str, Float64],
    *,
    resamples: int,
    seed: int,
    level: float,
) -> RankAgreement | None:
    """None: fewer than three families, or all of one study score alike.

    Args:
        before: family -> (n_seeds, n_learners); the learners are the same for all families.
        after: the same families, of another study, whose learners are others.
        resamples: of learners and seeds.
        seed: of the resamples.
        level: of the intervals.
    """
    first, second = (np.array([t[n].mean() for n in before]) for t in (before, after))
    if len(first) < FEWEST or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    random = np.random.default_rng(seed)
    drawn = [
        _resampled([table[name] for name in before], resamples, random) for table in (before, after)
    ]
    found: list[Correlation] = []
    for correlation in (kendalltau, spearmanr):
        values = [correlation(a, b).statistic for a, b in zip(*drawn, strict=True)]
        tail = (1 - level) / 2
        lower, upper = np.nanquantile(values, (tail, 1 - tail))
        value = float(correlation(first, second).statistic)
        found.append(Correlation(value, min(value, float(lower)), max(value, float(upper))))
    order = np.sign(first[:, None] - first) * np.sign(second[:, None] - second)
    n = len(first)
    kendall, spearman = found
    return RankAgreement(kendall, spearman, int((order < 0).sum()) // 2, n * (n - 1) // 2)


def _resampled(tables: list[Float64], resamples: int, random: np.random.Generator) -> Float64:
    """(resamples, n_families) means over drawn learners and drawn seeds."""
    n = tables[0].shape[1]
    means = np.empty((resamples, len(tables)))
    for rows, weights in learner_weights(n, resamples, random):
        for family, table in enumerate(tables):
            of_seeds = weights @ table.T / n
            chosen = random.integers(0, len(table), of_seeds.shape)
            means[rows, family] = np.take_along_axis(of_seeds, chosen, 1).mean(axis=1)
    return means
