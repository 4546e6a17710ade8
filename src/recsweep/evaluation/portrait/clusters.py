"""Learners' vectors in groups: how many there are, how clear and how stable they are.

Groups are found by k-means on the vectors' directions, as in Dhillon & Modha 2001: a vector's
length grows with a history, its direction says what the history leans to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from recsweep.data.types import Float32, Float64, Int64

FEW, MANY = 2, 8
"""Numbers of groups that are tried where none is asked for."""
SEED = 0
"""Of k-means' starts, of samples and of halves."""
STARTS = 10
SAMPLE = 4000
"""Silhouette and stability are taken on so many learners, drawn at random: a silhouette compares
every learner with every other."""
HALVINGS = 5
NO_STRUCTURE, WEAK, REASONABLE = 0.25, 0.5, 0.7
"""Silhouettes up to which there is no substantial, a weak, a reasonable structure (Kaufman &
Rousseeuw 1990, table 4 of chapter 2)."""

Structure = Literal["none", "weak", "reasonable", "strong"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """Groups of learners, the largest first."""

    labels: Int64  # (n_learners,) from 0
    silhouettes: Mapping[int, float]  # number of groups -> mean silhouette (Rousseeuw 1987)
    stability: float | None  # see `stability`; None: too few different learners to halve

    @property
    def count(self) -> int:
        """How many groups."""
        return int(self.labels.max(initial=-1)) + 1

    @property
    def silhouette(self) -> float | None:
        """Of these groups; None: a single one has none."""
        return self.silhouettes.get(self.count)


def directions(vectors: Float32) -> Float64:
    """(n, width) vectors of length one; a zero stays one."""
    exact = vectors.astype(np.float64)
    size = np.linalg.norm(exact, axis=1, keepdims=True)
    unit: Float64 = np.divide(exact, size, out=np.zeros_like(exact), where=size > 0)
    return unit


def distinct(points: Float64) -> int:
    """How many of the points differ."""
    return len(np.unique(points, axis=0))


def find_clusters(points: Float64, count: int | None = None) -> Clusters:
    """Group (n, width) points by k-means; the same points give the same groups.

    Args:
        points: at least one.
        count: of groups, at most as many as points differ; None: of `FEW` to `MANY` the number with
            the largest silhouette, the smaller of equals. Where too few points differ to compare
            numbers, there is one group.
    """
    different = distinct(points)
    tried = [count] if count else list(range(FEW, min(MANY, different - 1) + 1))
    with threadpool_limits(1):  # sums in one order, whatever the machine
        found = {k: _labels(points, points, k) for k in tried}
        chosen = _sample(len(points))
        scores = {k: _silhouette(points[chosen], labels[chosen]) for k, labels in found.items()}
        silhouettes = {k: score for k, score in scores.items() if score is not None}
        best = count or max(silhouettes, key=lambda k: (silhouettes[k], -k), default=1)
        labels = found[best] if best in found else np.zeros(len(points), np.int64)
        stable = stability(points[chosen], best) if best > 1 else None
    return Clusters(largest_first(labels), silhouettes, stable)


def stability(points: Float64, count: int) -> float | None:
    """Do two halves of the learners, each grouped alone, agree on everybody?

    The mean, over `HALVINGS` random halvings, of the adjusted Rand index (Hubert & Arabie 1985,
    eq. 5) between the two groupings of all points: 1 for the same, about 0 for chance alone. The
    idea is that of Lange et al. 2004. None: a half has fewer different points than groups.
    """
    found = []
    for one, other in _halves(len(points)):
        if min(distinct(points[one]), distinct(points[other])) < count:
            return None
        found.append(
            adjusted_rand_score(
                _labels(points[one], points, count), _labels(points[other], points, count)
            )
        )
    return float(np.mean(found))


def structure(silhouette: float | None) -> Structure:
    """What a silhouette says in a word; a single group has no structure."""
    if silhouette is None or silhouette <= NO_STRUCTURE:
        return "none"
    if silhouette <= WEAK:
        return "weak"
    return "reasonable" if silhouette <= REASONABLE else "strong"


def project(points: Float64) -> tuple[Float64, tuple[float, float]]:
    """(n, 2) first two principal components, and each one's share of the variance."""
    at, shares = np.zeros((len(points), 2)), np.zeros(2)
    kept = min(2, *points.shape)
    if distinct(points) > 1:
        with threadpool_limits(1):
            fitted = PCA(kept, svd_solver="full").fit(points)
            at[:, :kept] = fitted.transform(points)
        shares[:kept] = fitted.explained_variance_ratio_
    return at, (float(shares[0]), float(shares[1]))


def largest_first(labels: Int64) -> Int64:
    """The same groups numbered by size; of equals, the one that has the earlier learner first."""
    values, first, inverse, sizes = np.unique(
        labels, return_index=True, return_inverse=True, return_counts=True
    )
    rank = np.empty(len(values), np.int64)
    rank[np.lexsort((first, -sizes))] = np.arange(len(values))
    return rank[inverse]


def _labels(fitted: Float64, points: Float64, count: int) -> Int64:
    means = KMeans(count, n_init=STARTS, random_state=SEED).fit(fitted)
    labels: Int64 = means.predict(points).astype(np.int64)
    return labels


def _silhouette(points: Float64, labels: Int64) -> float | None:
    groups = len(np.unique(labels))
    if not 1 < groups < len(points):
        return None
    return float(silhouette_score(points, labels))


def _sample(n: int) -> Int64:
    if n <= SAMPLE:
        return np.arange(n)
    return np.sort(np.random.default_rng(SEED).choice(n, SAMPLE, replace=False))


def _halves(n: int) -> Iterator[tuple[Int64, Int64]]:
    random = np.random.default_rng(SEED)
    for _ in range(HALVINGS):
        order = random.permutation(n)
        yield order[: n // 2], order[n // 2 :]
