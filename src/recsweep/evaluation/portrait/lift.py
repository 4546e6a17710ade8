"""Lift: values (courses, categories, tags) that are more frequent in a group than overall."""

from dataclasses import dataclass

import numpy as np

from recsweep.data.types import Float64, Int64

SUPPORT = 5
"""Learners of a group who must have a value before it is told: fewer are chance, and a person."""
PRIOR = 5.0
"""Learners with a lift of 1 that every value begins with."""


@dataclass(frozen=True, slots=True)
class Lifts:
    """Learners who have each value, in each group; a learner has a value once or not at all."""

    counts: Int64  # (n_groups, n_values)
    sizes: Int64  # (n_groups,) learners of whom it is known which values they have

    @property
    def share(self) -> Float64:
        """(n_groups, n_values) of a group's learners; 0 in a group of nobody."""
        share: Float64 = self.counts / np.maximum(self.sizes, 1)[:, None]
        return share

    @property
    def overall(self) -> Float64:
        """(n_values,) share of all learners."""
        overall: Float64 = self.counts.sum(axis=0) / max(int(self.sizes.sum()), 1)
        return overall

    @property
    def lift(self) -> Float64:
        """(n_groups, n_values) a group's share over the overall one, drawn towards 1.

        Observed over expected learners, (N + m) / (E + m) with m = `PRIOR`: the mean of the
        posterior of a Poisson rate whose prior is a gamma of mean 1, as in DuMouchel 1999 (there a
        mixture of two). With few expected learners it stays near 1, whatever was observed.
        """
        expected = self.sizes[:, None] * self.overall
        return (self.counts + PRIOR) / (expected + PRIOR)

    def top(self, group: int, most: int) -> Int64:
        """Positions of the group's values by lift, of equals by count, then in their own order.

        Only those with a lift above 1 and at least `SUPPORT` learners.
        """
        lift, count = self.lift[group], self.counts[group]
        told = np.flatnonzero((lift > 1) & (count >= SUPPORT))
        order = np.lexsort((told, -count[told], -lift[told]))
        return told[order[:most]]


def lifts(
    owner: Int64, value: Int64, n_values: int, labels: Int64, n_groups: int, known: Int64
) -> Lifts:
    """Count learners.

    Args:
        owner: (n_pairs,) a learner.
        value: (n_pairs,) a value of theirs; a pair may repeat.
        n_values: how many values there are.
        labels: (n_learners,) group of each.
        n_groups: how many groups there are.
        known: learners who count; owners are among them.
    """
    pairs = np.unique(owner * n_values + value) if len(owner) else np.zeros(0, np.int64)
    learner, which = np.divmod(pairs, max(n_values, 1))
    cells = np.bincount(labels[learner] * n_values + which, minlength=n_groups * n_values)
    return Lifts(
        counts=cells.reshape(n_groups, n_values).astype(np.int64),
        sizes=np.bincount(labels[known], minlength=n_groups).astype(np.int64),
    )
