"""Cutting the development period into folds on one global clock.

The rules, for every task and family alike:

- training is every event strictly before the cut; the window is `[cut, end)`;
- the catalogue is what training knows with enough support and, with `candidates: catalogue`, the
  courses that the item table knows by the cut, which come after; courses outside it are left out
  of the histories;
- what is asked of the window, and what is learned from what lies before it, the task says.
"""

from recsweep.config.schema import Experiment
from recsweep.data.before_cut import learn, rows_of, trains_on
from recsweep.data.types import Dataset, Events, Fold
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import Split


def development_folds(dataset: Dataset, experiment: Experiment) -> tuple[Fold, ...]:
    """Every fold of the development period, earliest cut first.

    Raises:
        BadInput: a fold has nothing to train on or nothing to predict.
    """
    return tuple(
        make_fold(f"fold{n}", dataset.development, window, dataset, experiment)
        for n, window in enumerate(dataset.cuts.validation)
    )


def make_fold(
    name: str, events: Events, window: tuple[int, int], dataset: Dataset, experiment: Experiment
) -> Fold:
    """The fold that trains on all `events` before `window` and predicts those inside it.

    Raises:
        BadInput: nothing to train on, or nothing to predict.
    """
    cut, end = window
    if experiment.folds.in_time:
        events = rows_of(events, events.time < end)
    before = trains_on(events, window, experiment.folds)
    learned = learn(events, before, cut, dataset, experiment)
    split, task = Split(name, events, window, before, learned, dataset, experiment), experiment.task
    training = TASKS[task].training(split)
    return Fold(name, cut, learned.items, training, TASKS[task].targets(split, training))
