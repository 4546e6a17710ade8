"""The bootstrap distribution behind `comparison.py`: see there for the procedure."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from scipy.special import stdtr

from recsweep.data.types import Float64
from recsweep.evaluation.variance import SeedSpread, satterthwaite, without_rounding

_CELLS = 2_000_000
"""Resamples x learners held at once: 16 MB."""
_FLOOR = 0.1
"""Least share of the sample's variance that a resample is given. With it, coverage holds down to
about five unequal learners among a thousand; see benchmarks/calibration.py."""


def smallest_roots(
    means: Float64,
    spreads: Sequence[SeedSpread],
    groups: Sequence[Collection[tuple[int, int]]],
    resamples: int,
    seed: int,
) -> Float64:
    """The smallest root over the pairs of each group, (n_groups, resamples).

    `means` is (n_families, n_learners), each a mean over the family's seeds; a root is the
    two-sided t probability of a resampled difference's distance from the sample's.
    """
    families, n = means.shape
    random = np.random.default_rng(seed)
    shift, between = _draw_seeds(spreads, resamples, random)
    centred = means - means.mean(axis=1, keepdims=True)
    members = [{(min(pair), max(pair)) for pair in group} for group in groups]
    pairs = sorted(set().union(*members))
    squares = np.stack([(centred[a] - centred[b]) ** 2 for a, b in pairs])
    moments = np.concatenate([centred, squares]).T
    smallest = np.ones((len(groups), resamples))
    for rows, weights in learner_weights(n, resamples, random):
        drawn = weights @ moments / n
        for pair, (a, b) in enumerate(pairs):
            moved = drawn[:, a] - drawn[:, b]
            observed = without_rounding(squares[pair].sum() / (n - 1), means) / n
            learners = (drawn[:, families + pair] - moved**2) / (n - 1)
            # A resample of learners that nearly all agree is no measure of spread; without a floor
            # it decides the interval where a handful of learners carry the whole difference.
            learners = np.maximum(learners, _FLOOR * observed)
            seeds = [(between[f][rows], spreads[f]) for f in (a, b)]
            added = sum(np.maximum(0.0, square - s.interaction) for square, s in seeds)
            freedom = satterthwaite(learners, n, seeds)
            # Where all learners agree, what has moved is rounding.
            away = np.abs((moved if observed else 0.0) + shift[a][rows] - shift[b][rows])
            error = np.sqrt(learners + added)
            ratio = np.divide(away, error, out=np.zeros_like(away), where=error > 0)
            root = 2 * stdtr(freedom, -ratio)
            for group, of_group in zip(members, smallest, strict=True):
                if (a, b) in group:
                    of_group[rows] = np.minimum(of_group[rows], root)
    return smallest


def _draw_seeds(
    spreads: Sequence[SeedSpread], resamples: int, random: np.random.Generator
) -> tuple[list[Float64], list[Float64]]:
    """How far each family's mean moves with its seeds, and the mean square that comes with it."""
    shift, between = [], []
    for spread in spreads:
        freedom = max(spread.seeds - 1, 1)
        shift.append(np.sqrt(spread.added) * random.standard_normal(resamples))
        scale = max(spread.between, spread.interaction) / freedom
        between.append(scale * random.chisquare(freedom, resamples))
    return shift, between


def learner_weights(
    n: int, resamples: int, random: np.random.Generator
) -> Iterator[tuple[slice, Float64]]:
    """How often each learner is drawn, in pieces of (rows, n)."""
    step = max(1, _CELLS // n)
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = random.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        yield slice(start, start + size), counts.astype(np.float64)
