"""Whose turn it is: how many trials each family is to have, and how many of them it lacks."""

from collections.abc import Callable, Mapping

import optuna
from optuna.trial import FrozenTrial, TrialState

from recsweep.config.schema import Experiment
from recsweep.records.study import EarlyEnd
from recsweep.search.enough import is_enough, mark_end, trained, trials_of_budget
from recsweep.search.seconds import Seconds
from recsweep.search.trials import finished, is_refused, next_number
from recsweep.spaces.space import Space

REFUSALS = 10
"""A family gives up when so many configurations were refused for each trial of its budget."""


class Turns:
    """By the experiment's budget, and what the Optuna studies have of it already.

    Args:
        experiment: whose budget counts.
        spaces: one a family; without parameters there is nothing to tune.
        studies: one a family, in the experiment's order.
        open_: how many trials of a family are open in this session.
    """

    def __init__(
        self,
        experiment: Experiment,
        spaces: Mapping[str, Space],
        studies: Mapping[str, optuna.Study],
        open_: Callable[[str], int],
    ) -> None:
        self._experiment, self._studies, self._open = experiment, studies, open_
        self._tuned = [name for name in studies if spaces[name].parameters]
        budget = experiment.budget.seconds
        trials = {name: self._trials(name) for name in studies} if budget else {}
        self._seconds = Seconds(budget, trials) if budget else None
        self._enough: bool | None = None  # None: not judged since the last trial ended

    def target(self, family: str) -> int | None:
        """Trials in all; a family with nothing to tune has one. None: a budget of seconds.

        Where `stopping.study` ends the search, every family is taken as far as any has begun.
        """
        if family not in self._tuned:
            return 1
        budget = trials_of_budget(self._experiment, self._studies[family])
        if budget is None or not self._is_enough(budget):
            return budget
        begun = (next_number(self._trials(name)) - self.refused(name) for name in self._tuned)
        return min(budget, max(begun))

    def started(self, family: str) -> int:
        """Trials that have ended, refused ones included, or are open in this session."""
        return len(finished(self._trials(family))) + self._open(family)

    def refused(self, family: str, before: int | None = None) -> int:
        """Trials that were refused, or those of them with a number below `before`."""
        if not self._experiment.limits.given:
            return 0
        return sum(
            is_refused(trial) and (before is None or trial.user_attrs["number"] < before)
            for trial in self._trials(family)
        )

    def lacking(self, family: str) -> int:
        """Trials that are still to be started or gone on with; at least so many where a budget of
        seconds decides: a trial that was begun is finished, whatever is used up.
        """
        target = self.target(family)
        refused = self.refused(family) if family in self._tuned else 0
        most = REFUSALS * (target or REFUSALS)
        if target is not None:
            return max(0, target + min(refused, most) - self.started(family))
        assert self._seconds is not None
        begun = sum(
            trial.state == TrialState.RUNNING and "number" in trial.user_attrs
            for trial in self._trials(family)
        )
        another = self._seconds.left(family) and refused < most
        return max(begun - self._open(family), int(another))

    def remaining(self) -> int:
        """The same of all families."""
        return sum(map(self.lacking, self._studies))

    def next_family(self) -> str | None:
        """The family with the fewest started trials; of equals the one declared first."""
        return min(filter(self.lacking, self._studies), key=self.started, default=None)

    def waits(self, family: str) -> bool:
        """Has a family to wait for others, so that `stopping.study` is judged the same whatever
        finishes first?
        """
        if self._experiment.stopping.study is None or family not in self._tuned:
            return False
        begun = self.started(family) - self.refused(family)
        behind = (name for name in self._tuned if len(trained(self._trials(name))) < begun)
        return any(self.lacking(name) or self._open(name) for name in behind)

    def extend(self, trials: int) -> None:
        """Raise the target of every tuned family, for this and all later sessions."""
        for study in (self._studies[name] for name in self._tuned):
            extra = study.user_attrs.get("extra_trials", 0)
            study.set_user_attr("extra_trials", extra + trials)
        self._enough = None

    def used(self, family: str, seconds: float) -> None:
        """An epoch was booked."""
        if self._seconds is not None:
            self._seconds.use(family, seconds)

    def failed(self, family: str) -> None:
        """A trial failed."""
        if self._seconds is not None:
            self._seconds.failed(family)

    def note_end(self) -> None:
        """Judge anew, since a trial has ended, and write down that `stopping.study` has ended the
        search, if it has: by its trials alone it can't be told from one that was cut off.
        """
        self._enough = None
        if self._experiment.stopping.study is None:
            return
        if any(map(self._open, self._studies)) or self.remaining():
            return
        for name in self._tuned:
            target, study = self.target(name), self._studies[name]
            budget = trials_of_budget(self._experiment, study)
            if target is not None and budget is not None and target < budget:
                mark_end(study, EarlyEnd(target, budget))

    def _trials(self, family: str) -> list[FrozenTrial]:
        return self._studies[family].get_trials(deepcopy=False)

    def _is_enough(self, budget: int) -> bool:
        rule = self._experiment.stopping.study
        if self._enough is None:
            self._enough = rule is not None and is_enough(
                {name: self._trials(name) for name in self._tuned},
                budget,
                rule.below,
                self._experiment.metric,
            )
        return self._enough
