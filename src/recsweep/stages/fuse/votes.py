"""Candidates' votes on some targets of a fold, kept so that they can be combined in any way."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from recsweep.data.arrays import changes
from recsweep.data.types import Targets
from recsweep.models.families.ensemble import Vote


class Recorded:
    """A model whose votes are kept as a scorer asks for them, call by call."""

    def __init__(self, model: Any, vote: Vote) -> None:
        self._model, self._vote = model, vote
        self.votes: list[np.ndarray[Any, Any]] = []

    def score(self, asked: Any) -> Any:
        """What the model votes."""
        found = self._vote.of(self._model, asked)
        self.votes.append(self._vote.kept(found).copy())  # a scorer may write to what it is given
        return found

    probability = probabilities = uplift = score


class Replayed:
    """Says the same to a scorer that asks the same in the same order."""

    def __init__(self, votes: Iterable[Any]) -> None:
        self._votes = iter(votes)

    def score(self, asked: Any) -> Any:
        """The next of the votes."""
        return next(self._votes)

    probability = probabilities = uplift = score


def sample(targets: Targets, most: int, seed: int) -> Targets:
    """At most so many of the targets, the same number of moments of each learner as far as they
    have them; what one learner did at one moment stays together.
    """
    if len(targets) <= most:
        return targets
    random = np.random.default_rng(seed)
    moment = np.cumsum(changes(targets.sequence) | changes(targets.time)) - 1
    first = np.flatnonzero(changes(moment))
    learner = targets.sequence[first]
    shuffled = np.lexsort((random.random(len(first)), learner))
    turn = np.empty(len(first), np.int64)  # of each learner's moments: 0, 1, … in random order
    begins = np.flatnonzero(changes(learner))
    turn[shuffled] = np.arange(len(first)) - np.repeat(begins, np.diff([*begins, len(first)]))
    order = np.lexsort((random.random(len(first)), turn))
    taken = np.zeros(len(first), bool)
    taken[order[np.cumsum(np.bincount(moment)[order]) <= most]] = True
    return targets.at(np.flatnonzero(taken[moment]))
