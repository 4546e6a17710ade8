"""Likeness of a course and a history by their features, kept so that columns can be left out.

The cosine of two vectors needs their product and their sizes, and each of the three is a sum over
columns.
"""

from collections.abc import Sequence

import numpy as np

from recsweep.data.types import Float32, Float64

LIKENESS = "history: alike"
"""The input's name."""


def likeness_parts(history: Float64, course: Float32, columns: Sequence[str]) -> Float64:
    """(n, n_columns, 3) product and squared sizes by declared column, in order of appearance.

    Args:
        history: (n, n_features) the sum over the history.
        course: (n, n_features).
        columns: (n_features,) the declared column of each feature.
    """
    own = course.astype(np.float64)
    parts = np.stack((history * own, history**2, own**2), axis=2)
    names = np.array(columns)
    by_column = [parts[:, names == name].sum(axis=1) for name in dict.fromkeys(columns)]
    return np.stack(by_column, axis=1) if by_column else np.zeros((len(own), 0, 3))


def cosine(parts: Float64) -> Float32:
    """(n,) over all columns of (n, n_columns, 3) parts; 0 without a history or features."""
    product, of_history, of_course = parts.sum(axis=1).T
    size = np.sqrt(of_history * of_course)
    out = np.zeros(len(product), np.float32)
    there = size > 1e-9
    out[there] = product[there] / size[there]
    return out
