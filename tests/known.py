"""What a fitted model has to know besides its weights, of a small world."""

import numpy as np

from recsweep.data.before_cut import learn
from recsweep.data.types import UNKNOWN, Int32, Training
from recsweep.evaluation.probability import Calibrator
from recsweep.tasks.asked import Known
from recsweep.tasks.task import Split


def known_of(split: Split, cut: int, training: Training) -> tuple[Known, Int32]:
    """All of the split's events before a cut, and the catalogue index of every event."""
    events = split.dataset.development
    before = events.time < cut
    learned = learn(events, before, cut, split.dataset, split.experiment)
    in_catalogue = learned.index[before & (learned.index != UNKNOWN)]
    known = Known(
        experiment=split.experiment,
        training=training,
        encoder=learned.encoder,
        items=learned.items,
        counts=np.bincount(in_catalogue, minlength=len(learned.items)),
        kinds=tuple(np.unique(events.kind[before]).tolist()),
        cut=cut,
        calibrator=Calibrator(),
    )
    return known, learned.index
