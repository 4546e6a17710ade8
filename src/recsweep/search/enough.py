"""When a search may end before its budget: for no family is a gain that matters likely any more.

It is judged on the first n trials of every family, where n is as far as all have ended: what ended
first has no say in it, and families have equal budgets wherever it ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import optuna
from optuna.trial import FrozenTrial

from recsweep.config.schema import Experiment, Metric
from recsweep.evaluation.enough import LIMIT, chance_of_gain
from recsweep.records.study import EarlyEnd
from recsweep.search.trials import finished, is_refused

KEY = "enough"
"""The attribute of the Optuna studies of a search that has ended before its budget."""


def trained(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """A family's trials from its first on, as far as all have ended; without the refused ones."""
    by_number = {trial.user_attrs["number"]: trial for trial in finished(trials)}
    end = next(n for n in range(len(by_number) + 1) if n not in by_number)
    return [by_number[n] for n in range(end) if not is_refused(by_number[n])]


def is_enough(
    families: Mapping[str, Sequence[FrozenTrial]], trials: int, below: float, metric: Metric
) -> bool:
    """Is it?

    Args:
        families: their trials, of those that are tuned.
        trials: of a family in all, as the budget has it.
        below: the smallest gain that matters.
        metric: of the study.
    """
    ended = [trained(of) for of in families.values()]
    n = min(map(len, ended))
    return all(
        chance_of_gain(_goodness(of[:n], metric), trials - n, below) <= LIMIT for of in ended
    )


def trials_of_budget(experiment: Experiment, study: optuna.Study) -> int | None:
    """Of a tuned family, with what was added to them; None: a budget of seconds."""
    extra: int = study.user_attrs.get("extra_trials", 0)
    return None if experiment.budget.trials is None else experiment.budget.trials + extra


def mark_end(study: optuna.Study, end: EarlyEnd) -> None:
    """In a family's journal, once."""
    if study.user_attrs.get(KEY) != (mark := asdict(end)):
        study.set_user_attr(KEY, mark)


def marked_end(study: optuna.Study, experiment: Experiment) -> EarlyEnd | None:
    """The inverse; None: the search wasn't ended, or has a larger budget since."""
    mark = study.user_attrs.get(KEY)
    end = None if mark is None else EarlyEnd(**mark)
    return end if end and end.budget == trials_of_budget(experiment, study) else None


def target_of(study: optuna.Study, budget: int | None) -> int | None:
    """Trials of a family in all: those of the budget, unless the search was ended before."""
    end = study.user_attrs.get(KEY)
    return end["trials"] if end is not None and end["budget"] == budget else budget


def _goodness(trials: Sequence[FrozenTrial], metric: Metric) -> list[float]:
    """One that was stopped has what it had reached."""
    return [
        max(map(metric.goodness, trial.intermediate_values.values()))
        for trial in trials
        if trial.intermediate_values
    ]
