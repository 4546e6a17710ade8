"""Ranking metrics of targets, each the only relevant item of its query.

A rank counts from 1; MISS marks a target that cannot be ranked and scores 0 everywhere.
"""

from collections.abc import Mapping

import numpy as np

from recsweep.data.types import Float64, Int32, Int64

MISS = np.iinfo(np.int64).max


def recall(ranks: Int64, k: int) -> Float64:
    """(n,) recall@k with one relevant item: 1 if it is among the first k."""
    return (ranks <= k).astype(np.float64)


def ndcg(ranks: Int64, k: int) -> Float64:
    """(n,) NDCG@k with one relevant item: 1 / log2(1 + rank) within the first k (Järvelin &
    Kekäläinen 2002; the ideal DCG is 1).
    """
    gain = 1 / np.log2(1 + np.minimum(ranks, k).astype(np.float64))
    return np.where(ranks <= k, gain, 0.0)


def mrr(ranks: Int64, k: int) -> Float64:
    """(n,) reciprocal rank within the first k."""
    return np.where(ranks <= k, 1 / np.minimum(ranks, k), 0.0)


FUNCTIONS = {"recall": recall, "ndcg": ndcg, "mrr": mrr}


def user_means(values: Float64, sequence: Int32) -> Float64:
    """(n_users,) mean over each user's targets; `sequence` names the users 0, 1, … of targets."""
    totals = np.bincount(sequence, weights=values)
    return totals / np.bincount(sequence)


def mean_over_folds(metrics: Mapping[str, tuple[float, ...]], key: str) -> float:
    """The cross-validated score."""
    return float(np.mean(metrics[key]))
