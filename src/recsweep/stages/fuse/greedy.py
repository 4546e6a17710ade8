"""Greedy selection with replacement (Caruana et al. 2004, section 2.1).

It begins with the best candidate and adds, one at a time, whichever makes the mean over folds best;
one that is added again weighs more. Of the ensembles on the way the best one stays, of equals the
smallest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recsweep.config.schema import Metric
from recsweep.data.types import Targets
from recsweep.stages.fuse.votes import Replayed
from recsweep.tasks.task import Outcomes, Scorer, Task

STEPS = 20
"""Candidates that are added at most, and so what weights are shares of."""

Votes = Sequence[np.ndarray[Any, Any]]
"""Of a candidate on a fold: one array for each time that a scorer asks."""


@dataclass(frozen=True, slots=True)
class FoldVotes:
    """One fold's sampled targets, and what the candidates say to them."""

    targets: Targets
    scorer: Scorer[Any]
    given: Callable[[Any], Any]  # an array as the scorer takes an answer
    votes: Sequence[Votes]  # one a candidate


@dataclass(frozen=True, slots=True)
class Greedy:
    """What came of it."""

    weights: tuple[int, ...]  # of each candidate: how often it was chosen
    value: float  # of the metric, on the sampled targets


def greedy_selection(
    folds: Sequence[FoldVotes], task: Task[Any], metric: Metric, steps: int = STEPS
) -> Greedy:
    """Choose from the candidates, whose first is the best alone."""
    totals = [[np.zeros_like(each) for each in fold.votes[0]] for fold in folds]

    def value_with(candidate: int, size: int) -> float:
        return float(
            np.mean(
                [
                    _value(fold, task, metric, _mean(total, fold.votes[candidate], size))
                    for fold, total in zip(folds, totals, strict=True)
                ]
            )
        )

    chosen, values = [0], [value_with(0, 1)]
    while True:
        for fold, total in zip(folds, totals, strict=True):
            for so_far, own in zip(total, fold.votes[chosen[-1]], strict=True):
                np.add(so_far, own, out=so_far)
        if len(chosen) == steps:
            break
        found = [value_with(n, len(chosen) + 1) for n in range(len(folds[0].votes))]
        best = max(range(len(found)), key=lambda n: (metric.goodness(found[n]), -n))
        chosen.append(best)
        values.append(found[best])
    size = max(range(steps), key=lambda n: (metric.goodness(values[n]), -n)) + 1
    weights = np.bincount(chosen[:size], minlength=len(folds[0].votes))
    return Greedy(tuple(weights.tolist()), values[size - 1])


def _mean(total: Votes, own: Votes, size: int) -> Votes:
    return [(so_far + each) / size for so_far, each in zip(total, own, strict=True)]


def _value(fold: FoldVotes, task: Task[Any], metric: Metric, votes: Votes) -> float:
    outcomes: Outcomes = fold.scorer.outcomes(Replayed(map(fold.given, votes)))
    values = task.target_values(outcomes, fold.targets, metric).get(metric.key)
    if values is None:  # one that all targets have together
        return task.summarise(outcomes, fold.targets, metric)[0][metric.key]
    _, learner = np.unique(fold.targets.sequence, return_inverse=True)
    return float(task.per_learner(values, learner.astype(np.int32)).mean())
