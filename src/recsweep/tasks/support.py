"""What each fold is scored on, by type of event: counted without fitting any feature."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recsweep.config.schema import Experiment
from recsweep.data.before_cut import catalogue, rows_of
from recsweep.data.types import KINDS, Dataset, Int32
from recsweep.tasks.folds import find_targets, trains_on
from recsweep.tasks.purchase.examples import find_examples


@dataclass(frozen=True, slots=True)
class Support:
    """The targets, or for the task purchase the examples, of one fold."""

    name: str
    targets: Mapping[str, tuple[int, int]]  # type, or answer -> (targets, learners)
    counts: Mapping[str, int]  # rule -> events of the window that it took out or marked


def fold_support(dataset: Dataset, experiment: Experiment) -> tuple[Support, ...]:
    """Of every fold of a log, earliest cut first; nothing of the sealed test is in it."""
    return tuple(
        _support(f"fold{n}", window, dataset, experiment)
        for n, window in enumerate(dataset.cuts.validation)
    )


def _support(
    name: str, window: tuple[int, int], dataset: Dataset, experiment: Experiment
) -> Support:
    cut, end = window
    events = rows_of(dataset.development, dataset.development.time < end)
    if experiment.purchase is not None:
        rows, bought, counts = find_examples(events, experiment.purchase, cut, end)
        answers = {"with a purchase": rows[bought], "without": rows[~bought]}
        found = {answer: _count(events.user[at]) for answer, at in answers.items()}
        return Support(name, found, counts)
    before = trains_on(events, window, experiment.folds)
    _, _, index = catalogue(events, before, cut, dataset, experiment)
    rows, _, _, counts = find_targets(events, index, cut, experiment.targets)
    kinds = {KINDS[kind]: rows[events.kind[rows] == kind] for kind in np.unique(events.kind[rows])}
    return Support(name, {kind: _count(events.user[at]) for kind, at in kinds.items()}, counts)


def _count(learners: Int32) -> tuple[int, int]:
    return len(learners), len(np.unique(learners))
