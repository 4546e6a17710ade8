"""When a search may end before its budget: for no family is a gain that matters likely any more.

It is judged on the first n trials of every family, where n is as far as all have ended: what ended
first has no say in it, and families have equal budgets wherever it ends.
"""

from collections.abc import Mapping, Sequence

from optuna.trial import FrozenTrial

from recsweep.config.schema import Metric
from recsweep.evaluation.enough import LIMIT, chance_of_gain
from recsweep.search.trials import finished


def ended_up_to(trials: Sequence[FrozenTrial]) -> int:
    """How many of a family's trials have ended, counted from its first without a gap."""
    numbers = {trial.user_attrs["number"] for trial in finished(trials)}
    return next(n for n in range(len(numbers) + 1) if n not in numbers)


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
    n = min(map(ended_up_to, families.values()))
    return all(
        chance_of_gain(_goodness(of, n, metric), trials - n, below) <= LIMIT
        for of in families.values()
    )


def _goodness(trials: Sequence[FrozenTrial], n: int, metric: Metric) -> list[float]:
    """Of the first n trials, in order; one that was stopped has what it had reached."""
    first = sorted(
        (trial for trial in finished(trials) if trial.user_attrs["number"] < n),
        key=lambda trial: trial.user_attrs["number"],
    )
    return [
        max(map(metric.goodness, trial.intermediate_values.values()))
        for trial in first
        if trial.intermediate_values
    ]
