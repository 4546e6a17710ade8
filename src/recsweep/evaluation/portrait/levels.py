"""Numbers that are higher or lower in a group than among all learners."""

from dataclasses import dataclass

import numpy as np

from recsweep.data.types import Float64, Int64


@dataclass(frozen=True, slots=True)
class Levels:
    """A column of numbers, group by group."""

    known: Int64  # (n_groups,) learners of whom it is known
    mean: Float64  # (n_groups,) nan where it is known of nobody
    overall: float  # mean of all learners of whom it is known
    spread: float  # standard deviation of theirs

    @property
    def standardised(self) -> Float64:
        """(n_groups,) how many standard deviations above the overall mean; 0 without a spread."""
        if not self.spread > 0:
            return np.where(self.known > 0, 0.0, np.nan)
        return (self.mean - self.overall) / self.spread


def levels(values: Float64, labels: Int64, n_groups: int) -> Levels:
    """The means of (n_learners,) values, nan where not known, in each of `n_groups` groups."""
    there = np.isfinite(values)
    value, label = values[there], labels[there]
    known = np.bincount(label, minlength=n_groups)
    total = np.bincount(label, weights=value, minlength=n_groups)
    mean = np.divide(total, known, out=np.full(n_groups, np.nan), where=known > 0)
    if not len(value):
        return Levels(known, mean, np.nan, np.nan)
    return Levels(known, mean, float(value.mean()), float(value.std()))
