"""Two families on part of the targets: long histories, new learners, cold courses, …"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from recsweep.data.types import Float64, Int32
from recsweep.evaluation.limits import possible
from recsweep.evaluation.metrics import user_means
from recsweep.evaluation.variance import seed_spread, spread_of_difference


@dataclass(frozen=True, slots=True)
class SubgroupDifference:
    """Mean of a - mean of b over a group's learners; without two of them there is no interval."""

    name: str
    learners: int
    targets: int
    difference: float | None
    lower: float | None
    upper: float | None


def subgroup_differences(
    values_a: Float64,
    values_b: Float64,
    sequence: Int32,
    masks: Mapping[str, NDArray[np.bool_]],
    level: float = 0.95,
    per_learner: Callable[[Float64, Int32], Float64] = user_means,
    bound: float | None = None,
) -> tuple[SubgroupDifference, ...]:
    """Compare two families in every group.

    As everywhere, a learner's targets are averaged first, then learners. The intervals are t
    intervals with the variance of `variance.py`, simultaneous over the groups by Bonferroni's
    inequality, which holds for groups that overlap. They are meant for looking where a difference
    comes from; the verdict is on all learners.

    Args:
        values_a: (n_seeds, n_targets) metric of each target; or (n_seeds, n_learners) with
            `sequence` counting 0, 1, …
        values_b: the same targets in the same order; the number of seeds may differ.
        sequence: (n_targets,) which learner a target belongs to.
        masks: group -> (n_targets,) whether a target is in it.
        level: of all groups together.
        per_learner: how a learner's targets become one value.
        bound: of the metric; see `compare`.
    """
    found = []
    for name, mask in masks.items():
        learners, of_target = np.unique(sequence[mask], return_inverse=True)
        targets, learner = len(of_target), of_target.astype(np.int32)
        if not targets:
            found.append(SubgroupDifference(name, 0, 0, None, None, None))
            continue
        a, b = (
            np.stack([per_learner(row[mask], learner) for row in values])
            for values in (values_a, values_b)
        )
        paired = a.mean(axis=0) - b.mean(axis=0)
        difference = float(paired.mean())
        lower = upper = None
        if len(learners) > 1:
            scale = np.concatenate([a, b])
            spread = spread_of_difference(paired, seed_spread(a), seed_spread(b), scale)
            t = -float(stdtrit(spread.freedom, (1 - level) / len(masks) / 2))
            half = t * spread.standard_error
            lower, upper = possible(difference - half, difference + half, bound)
        found.append(SubgroupDifference(name, len(learners), targets, difference, lower, upper))
    return tuple(found)
