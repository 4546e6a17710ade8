"""How far a metric differs between groups of learners: each group's mean, and the largest gap."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from scipy.special import stdtrit

from recsweep.data.types import Float64, Mask
from recsweep.evaluation.estimate import estimate
from recsweep.evaluation.limits import possible
from recsweep.evaluation.variance import SeedSpread, satterthwaite, seed_spread, without_rounding

NOT_KNOWN = "(not known)"
OTHERS = "(others)"
PARTS = 3
"""A column of numbers is cut into so many groups of about equal size."""


@dataclass(frozen=True, slots=True)
class LearnerGroups:
    """Learners by one column of theirs; a learner is in one group at most."""

    members: Mapping[str, Mask]  # group -> (n_learners,), those pooled last
    pooled: tuple[str, ...] = ()  # groups of too few learners, which are OTHERS together
    withheld: int = 0  # learners of those, where together they are too few as well


@dataclass(frozen=True, slots=True)
class Gap:
    """Mean of the group with the highest mean less that of the lowest."""

    highest: str
    lowest: str
    difference: float
    lower: float
    upper: float


def grouped(values: pl.Series, smallest: int) -> LearnerGroups:
    """Group learners by what stands in a column: each value, or thirds of numbers.

    Args:
        values: (n_learners,) null: not known.
        smallest: groups of fewer learners are pooled; fewer of those together are withheld.
    """
    numeric = values.dtype.is_numeric()
    shown = _thirds(values) if numeric else values.cast(pl.String)
    of_learner = shown.fill_null(NOT_KNOWN).to_numpy()
    names, first, counts = np.unique(of_learner, return_index=True, return_counts=True)
    # Numbers in their own order, others by size; an unknown number comes last.
    order = np.argsort(values.to_numpy()[first] if numeric else -counts, kind="stable")
    members = {str(names[n]): of_learner == names[n] for n in order if counts[n] >= smallest}
    small = [str(name) for name, count in zip(names, counts, strict=True) if count < smallest]
    rest = np.isin(of_learner, small)
    if 0 < rest.sum() < smallest:
        return LearnerGroups(members, tuple(small), int(rest.sum()))
    return LearnerGroups(members | ({OTHERS: rest} if small else {}), tuple(small))


def group_means(
    values: Float64, groups: LearnerGroups, level: float = 0.95
) -> dict[str, tuple[float, float, float]]:
    """Group -> (mean, lower, upper); the intervals hold for all groups together (Bonferroni).

    Args:
        values: (n_seeds, n_learners).
        groups: of those learners.
        level: of all groups.
    """
    each = 1 - (1 - level) / max(1, len(groups.members))
    return {name: estimate(values[:, mask], each) for name, mask in groups.members.items()}


def largest_gap(
    values: Float64, groups: LearnerGroups, level: float = 0.95, bound: float | None = None
) -> Gap | None:
    """The largest difference between two groups' means; None: fewer than two groups.

    Which pair it is the values decide. So its interval is one that holds for every pair of groups
    (Bonferroni), each a t interval with unequal variances (Welch 1947) and, as a seed moves both
    groups together, the spread over seeds of their difference; degrees of freedom are those of
    Satterthwaite (1946).

    Args:
        values: (n_seeds, n_learners).
        groups: of those learners, of at least two each.
        level: of all pairs.
        bound: of the metric; see `compare`.
    """
    names = list(groups.members)
    if len(names) < 2:
        return None
    parts = {name: values[:, mask] for name, mask in groups.members.items()}
    highest, *_, lowest = sorted(names, key=lambda name: -float(parts[name].mean()))
    high, low = parts[highest], parts[lowest]
    pairs = len(names) * (len(names) - 1) / 2
    error, freedom = _error(high, low)
    half = -float(stdtrit(freedom, (1 - level) / pairs / 2)) * error
    difference = float(high.mean() - low.mean())
    return Gap(highest, lowest, difference, *possible(difference - half, difference + half, bound))


def _error(a: Float64, b: Float64) -> tuple[float, float]:
    """Standard error and degrees of freedom of a's mean less b's; the same seeds in both."""
    squares = [without_rounding(v.mean(axis=0).var(ddof=1), v) / v.shape[1] for v in (a, b)]
    uncertain = sum(s**2 / (v.shape[1] - 1) for s, v in zip(squares, (a, b), strict=True))
    learners = sum(squares)
    welch = learners**2 / uncertain if uncertain else min(a.shape[1], b.shape[1]) - 1
    seeds = len(a)
    spread = SeedSpread(seeds, 0.0, 0.0)
    if seeds > 1:
        apart = a.mean(axis=1) - b.mean(axis=1)
        spread = SeedSpread(
            seeds,
            between=without_rounding(apart.var(ddof=1), np.concatenate([a, b], axis=1)) / seeds,
            interaction=seed_spread(a).interaction + seed_spread(b).interaction,
        )
    freedom = satterthwaite(np.asarray(learners), welch + 1, [(np.asarray(spread.between), spread)])
    return float(np.sqrt(learners + spread.added)), float(freedom)


def _thirds(values: pl.Series) -> pl.Series:
    """A column of numbers by its quantiles, as `≤ 25`, `(25, 38]` and `> 38`."""
    numbers = values.drop_nulls().to_numpy()
    if not len(numbers):
        return values.cast(pl.String)
    parts = np.arange(1, PARTS) / PARTS
    bounds = [float(b) for b in np.unique(np.quantile(numbers, parts, method="lower"))]
    inner = [f"({low:g}, {high:g}]" for low, high in pairwise(bounds)]
    names = [f"≤ {bounds[0]:g}", *inner, f"> {bounds[-1]:g}"]
    part = np.searchsorted(bounds, values.to_numpy())
    return pl.Series(np.array(names)[part]).set(values.is_null(), None)
