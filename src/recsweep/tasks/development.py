"""All of the development period at once: what a refit trains on, and every learner's history."""

from dataclasses import replace

import numpy as np

from recsweep.config.schema import Experiment
from recsweep.data.before_cut import learn, moment_of, rows_of, sequences_of
from recsweep.data.types import UNKNOWN, Dataset, Fold, Int32, Sequences, Targets
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import Split

NAME = "development"


def whole_development(dataset: Dataset, experiment: Experiment, cut: int | None = None) -> Fold:
    """The fold that trains on what the confirmation trains on, or on all before another cut, and
    has nothing to predict.

    Its histories are whole: of every learner with an event on a course of the catalogue, all such
    events. It needs none of the sealed test's files.

    Raises:
        BadInput: nothing to train on, or a feature that can't be used.
    """
    if cut is None:
        cut = moment_of(dataset.development, dataset.cuts.test[0], experiment.folds)
    split = whole_split(dataset, experiment, cut)
    events, learned = split.events, split.learned
    training = TASKS[experiment.task].training(split)
    known, encoder = learned.index != UNKNOWN, learned.encoder
    histories = sequences_of(events, learned.index, known, encoder, cut)
    if encoder.of_items.known.start is not None:  # a dated table: as each was known just before
        features = encoder.items(events.item[known], events.time[known] - 1)
        histories = replace(histories, item_features=features)
    return Fold(NAME, cut, learned.items, training, _nothing_asked(histories))


def whole_split(dataset: Dataset, experiment: Experiment, cut: int) -> Split:
    """All events of a data set before a cut, with nothing after it.

    Raises:
        BadInput: a feature that can't be used.
    """
    events = dataset.development
    if experiment.folds.in_time:
        events = rows_of(events, events.time < cut)
    before = np.ones(len(events), bool)
    learned = learn(events, before, cut, dataset, experiment)
    return Split(NAME, events, (cut, cut), before, ~before, learned, dataset, experiment)


def _nothing_asked(histories: Sequences) -> Targets:
    none: Int32 = np.zeros(0, np.int32)
    return Targets(
        histories=histories,
        sequence=none,
        length=none,
        item=none,
        time=np.zeros(0, np.int64),
        drop_seen=False,
        counts={},
    )
