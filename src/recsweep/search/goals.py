"""A search for two goals, the score and a cost: what a sampler is shown, and who goes on for it.

The journal has one value a trial, its score; what it costs is in its epochs' entries.
"""

import copy
import math
from collections.abc import Callable, Iterable

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from recsweep.config.schema import Cost
from recsweep.records.costs import cost_so_far
from recsweep.search.shown import ShownStudy
from recsweep.search.trials import epochs_of


class Both(ShownStudy):
    """As a sampler for several objectives reads it.

    A complete trial has its score and its cost's logarithm, as fronts are drawn: one with twice the
    parameters is as far off anywhere. A stopped one, or one whose cost nobody recorded, has none of
    them, and stands behind all complete ones.
    """

    def __init__(self, study: optuna.Study, cost: Cost) -> None:
        super().__init__(study)
        self._cost = cost

    @property
    def directions(self) -> list[StudyDirection]:
        """The score's, and less of the cost."""
        return [self._study.direction, StudyDirection.MINIMIZE]

    def _is_multi_objective(self) -> bool:
        return True

    def shown(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """With two values each."""
        return [self._with_cost(trial) for trial in trials]

    def _with_cost(self, trial: FrozenTrial) -> FrozenTrial:
        if trial.state not in (TrialState.COMPLETE, TrialState.PRUNED):
            return trial
        shown = copy.copy(trial)
        cost = _cost(trial, self._cost)
        if trial.state == TrialState.COMPLETE and cost is not None:
            shown.values = [trial.value, math.log(max(cost, 1e-12))]
        else:
            shown.state, shown.values, shown.intermediate_values = TrialState.PRUNED, None, {}
        return shown


def may_lie_on_front(
    trial: FrozenTrial,
    others: Iterable[FrozenTrial],
    cost: Cost,
    goodness: Callable[[float], float],
) -> bool:
    """Is there no complete trial that costs no more and was better by the same epoch?

    Args:
        trial: that is open, and has reported.
        others: of its family.
        cost: the second goal.
        goodness: of a value, more is better.
    """
    last, mine = max(trial.intermediate_values), _cost(trial, cost)

    def best(of: FrozenTrial) -> float:
        reached = (goodness(v) for epoch, v in of.intermediate_values.items() if epoch <= last)
        return max(reached, default=-math.inf)

    return mine is None or not any(
        other.state == TrialState.COMPLETE
        and best(other) > best(trial)
        and (theirs := _cost(other, cost)) is not None
        and theirs <= mine
        for other in others
    )


def _cost(trial: FrozenTrial, cost: Cost) -> float | None:
    epochs = epochs_of(trial)
    return cost_so_far(epochs, sum(epoch.fit_seconds for epoch in epochs), cost)
