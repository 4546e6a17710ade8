"""How far a mean over seeds and learners is from the truth, split by where the spread comes from.

A family's values are a table of seeds by learners, and both are samples: other learners will come,
and the next training run draws another seed. With v = mean + learner + seed + interaction, the
mean of S seeds and n learners has variance

    var(learner) / n  +  var(seed) / S  +  var(interaction) / (n S)

(the crossed random-effects model; Searle, Casella & McCulloch 1992, ch. 4). Learners are shared by
all families, so their part is taken from paired differences; seeds are each family's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsweep.data.types import Float64


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """What one family's choice of seeds adds to the variance of its mean."""

    seeds: int
    between: float  # mean square of the seeds' means / S; holds the interaction's part as well
    interaction: float  # the interaction's part of it, which the learners' differences also hold

    @property
    def added(self) -> float:
        """Unbiased unless negative, when it is 0: counted once, not twice with the learners."""
        return max(0.0, self.between - self.interaction)


@dataclass(frozen=True, slots=True)
class Spread:
    """Variance of a mean difference between two families, with its degrees of freedom."""

    learners: float  # from paired differences over learners
    seeds: float  # from the seeds of both families
    freedom: float  # Satterthwaite's

    @property
    def standard_error(self) -> float:
        """Of the mean difference."""
        return float(np.sqrt(self.learners + self.seeds))


def seed_spread(values: Float64) -> SeedSpread:
    """Split off the seeds' part; `values` is (n_seeds, n_learners). One seed shows no spread."""
    seeds, learners = values.shape
    if seeds == 1:
        return SeedSpread(1, 0.0, 0.0)
    by_seed = values.mean(axis=1, keepdims=True)
    residual = values - by_seed - values.mean(axis=0, keepdims=True) + values.mean()
    freedom = (seeds - 1) * max(learners - 1, 1)
    return SeedSpread(
        seeds,
        between=without_rounding(by_seed.var(ddof=1), values) / seeds,
        interaction=without_rounding((residual**2).sum() / freedom, values) / (learners * seeds),
    )


def spread_of_difference(
    differences: Float64, a: SeedSpread, b: SeedSpread, scale: Float64
) -> Spread:
    """Variance of `differences.mean()`; differences are of means over seeds, one a learner.

    The degrees of freedom are those of Satterthwaite (1946). `scale` holds values as they were
    before the subtraction, to tell spread from rounding.
    """
    n = len(differences)
    learners = without_rounding(differences.var(ddof=1), scale) / n
    seeds = a.added + b.added
    freedom = satterthwaite(
        np.asarray(learners),
        n,
        tuple((np.asarray(f.between), f) for f in (a, b)),
    )
    return Spread(learners, seeds, float(freedom))


def satterthwaite(
    learners: Float64, n_learners: int, seeds: Sequence[tuple[Float64, SeedSpread]]
) -> Any:
    """Degrees of freedom of learners + sum over families of max(0, between - interaction).

    Arrays broadcast; `seeds` holds each family's `between` (or many resampled ones) beside the
    family's spread. Never below the fewest of any part, which subtracting could otherwise reach;
    where there is no variance at all, the learners' n - 1.
    """
    total = learners
    uncertainty = learners**2 / (n_learners - 1)
    fewest: Any = n_learners - 1
    for between, family in seeds:
        if family.seeds == 1:
            continue
        counted = between > family.interaction
        total = total + np.where(counted, between - family.interaction, 0.0)
        squares = between**2 + family.interaction**2 / (n_learners - 1)
        uncertainty = uncertainty + np.where(counted, squares, 0.0) / (family.seeds - 1)
        fewest = np.minimum(fewest, np.where(counted, family.seeds - 1, n_learners - 1))
    none = uncertainty == 0
    freedom = np.where(none, n_learners - 1, total**2 / np.where(none, 1.0, uncertainty))
    return np.maximum(freedom, fewest)


def without_rounding(variance: Any, values: Float64) -> float:
    """`variance`, or 0 where it is no more than what rounding leaves of equal numbers."""
    floor = (16 * np.finfo(np.float64).eps * np.abs(values).max(initial=0.0)) ** 2
    return float(variance) if variance > floor else 0.0
