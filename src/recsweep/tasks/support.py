"""What each fold is scored on, by type of event: laid out without features."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsweep.config.schema import Experiment
from recsweep.data.types import KINDS, Dataset, Fold
from recsweep.tasks.folds import development_folds


@dataclass(frozen=True, slots=True)
class Support:
    """The targets of one fold."""

    name: str
    targets: Mapping[str, tuple[int, int]]  # event type, if known -> (targets, learners)
    counts: Mapping[str, int]  # rule -> events of the window that it took out or marked


def fold_support(dataset: Dataset, experiment: Experiment) -> tuple[Support, ...]:
    """Of every fold, earliest cut first; nothing of the sealed test is in it.

    Raises:
        BadInput: a fold has nothing to train on or nothing to predict.
    """
    return tuple(map(_support, development_folds(dataset, without_features(experiment))))


def without_features(experiment: Experiment) -> Experiment:
    """The same question asked of the same events, with no column to fit."""
    families = {name: experiment.space_of(name) for name in experiment.families}
    return experiment.model_copy(update={"features": (), "families": families})


def _support(fold: Fold) -> Support:
    targets = fold.validation
    learner = targets.histories.user[targets.sequence]
    kinds = {"targets": np.ones(len(targets), bool)}
    if targets.kind is not None:
        kinds = {KINDS[kind]: targets.kind == kind for kind in np.unique(targets.kind)}
    counted = {
        name: (int(here.sum()), len(np.unique(learner[here]))) for name, here in kinds.items()
    }
    return Support(fold.name, counted, targets.counts)
