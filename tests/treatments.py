"""A small world of looks at courses of which some came with a treatment."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from purchases import CUT, END, dataset_with_prices, log_of, random_log
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.data.types import KINDS, Events, Fold
from recsweep.tasks.folds import make_fold


def uplift_experiment(**changes: object) -> Experiment:
    """Bought within two days."""
    log = {"path": "x", "user": "u", "item": "i", "time": "t"}
    treated = {**log, "treatment": {"column": "g", "treated": ["yes"]}}
    data = {"name": "test", "events": [treated]}
    keys = {"task": "uplift", "data": data, "uplift": {"window_days": 2}}
    return experiment_of(**{**keys, **changes})


def treated_log(seed: int, share: float = 0.5) -> Events:
    """Some of all looks are treated, every seventh comes with no treatment in question."""
    events, random = log_of(random_log(seed)), np.random.default_rng(seed + 100)
    treated = (random.random(len(events)) < share).astype(np.float32)
    none = (events.kind != KINDS.index("browse")) | (np.arange(len(events)) % 7 == 0)
    return replace(events, treated=np.where(none, np.nan, treated).astype(np.float32))


def uplift_fold(
    events: Events, change: Callable[[Experiment], Experiment] = lambda experiment: experiment
) -> Fold:
    """The fold that is cut at day 60 and ends with day 100."""
    experiment, window = change(uplift_experiment()), (CUT * DAY, END * DAY)
    return make_fold("fold0", events, window, dataset_with_prices(events), experiment)
