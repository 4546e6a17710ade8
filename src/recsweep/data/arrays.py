"""Two array idioms that folds and batches share."""

import numpy as np
from numpy.typing import NDArray

from recsweep.data.types import Int64


def changes(column: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where a value differs from the one before it; the first always does."""
    return np.concatenate((np.ones(min(1, len(column)), bool), column[1:] != column[:-1]))


def ranges(starts: Int64, lengths: Int64) -> Int64:
    """`starts[i], starts[i] + 1, …` for `lengths[i]` values, end to end."""
    shifts = starts - np.concatenate(([0], np.cumsum(lengths)[:-1]))
    return np.arange(int(lengths.sum())) + np.repeat(shifts, lengths)
