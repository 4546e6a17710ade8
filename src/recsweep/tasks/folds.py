"""Cutting the development period into folds.

The rules, for every task and family alike:

- on the clock, training is every event strictly before the cut, and the window is `[cut, end)`; by
  the rules that don't respect time, training is all that lies outside of the window;
- the catalogue is what training knows with enough support and, with `candidates: catalogue`, the
  courses that the item table knows by the cut, which come after; courses outside it are left out
  of the histories;
- what is asked of the window, and what is learned from what lies before it, the task says.
"""

from dataclasses import replace

from recsweep.config.schema import Experiment
from recsweep.data.before_cut import is_inside, learn, moment_of, rows_of, trains_on
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
    name: str,
    events: Events,
    window: tuple[int, int],
    dataset: Dataset,
    experiment: Experiment,
    until: int | None = None,
) -> Fold:
    """The fold that trains on what its rule lets it of `events`, and predicts those in `window`.

    Where the clock is cut, `until` ends what is learned from before the window begins: a model that
    was fitted then is asked of the window, with every history as it is by now.

    Raises:
        BadInput: nothing to train on, or nothing to predict.
    """
    rule, task = experiment.folds, TASKS[experiment.task]
    if rule.in_time:
        events = rows_of(events, events.cut_by < window[1])
    fitted = (window[0] if until is None else until, window[1])
    before, inside = trains_on(events, fitted, rule), is_inside(events, window)
    cut, begin, end = (moment_of(events, bound, rule) for bound in (fitted[0], *window))
    learned = learn(events, before, cut, dataset, experiment)
    split = Split(name, events, (cut, end), before, inside, learned, dataset, experiment)
    training = task.training(split)
    asked = replace(split, window=(begin, end))
    return Fold(name, cut, learned.items, training, task.targets(asked, training))
