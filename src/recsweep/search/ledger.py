"""Asks for trials and books how they went. Knows nothing of Ray, nor of who is to be stopped."""

import logging
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from recsweep.config.schema import Experiment
from recsweep.data.types import Fold
from recsweep.records.study import EarlyEnd
from recsweep.records.user_values import FoldValues, write_user_values
from recsweep.search.checkpoints import Checkpoints
from recsweep.search.earlier import kept
from recsweep.search.enough import is_enough, mark_end, trained, trials_of_budget
from recsweep.search.goals import may_lie_on_front
from recsweep.search.proposal import Proposal
from recsweep.search.sampler import session_sampler, trial_sampler
from recsweep.search.seconds import Seconds
from recsweep.search.seen import seeing
from recsweep.search.stopping import is_over
from recsweep.search.storage import kept_widenings
from recsweep.search.trials import (
    INTERRUPTED,
    booked,
    epochs_of,
    finished,
    is_refused,
    trial_id,
    trial_row,
)
from recsweep.spaces.space import Space
from recsweep.tracking.events import EpochReported, Event, TrialEnded, TrialStarted
from recsweep.training.epoch import EpochReport

log = logging.getLogger(__name__)


REFUSALS = 10
"""A family gives up when so many configurations were refused for each trial of its budget."""


@dataclass(slots=True)
class _Running:
    proposal: Proposal
    trial: optuna.Trial
    values: dict[int, float] = field(default_factory=dict)  # epoch -> its value


class Ledger:
    """The one place that writes to the Optuna studies.

    A trial that was cut off stays open in its study, and is gone on with in a later session.
    """

    def __init__(
        self,
        folder: Path,
        experiment: Experiment,
        spaces: Mapping[str, Space],
        storage: BaseStorage,
        studies: Mapping[str, optuna.Study],
        folds: Sequence[Fold],
        emit: Callable[[Event], None],
    ) -> None:
        self._folder, self._experiment, self._spaces = folder, experiment, spaces
        self._storage, self._studies, self._emit = storage, studies, emit
        self._earlier = {name: kept(study) for name, study in studies.items()}
        self._widened = {name for name, study in studies.items() if kept_widenings(study)}
        self._users = [(fold.name, fold.validation.histories.user) for fold in folds]
        self._running: dict[str, _Running] = {}
        self._cut_off: dict[str, list[FrozenTrial]] = {name: [] for name in studies}
        self.checkpoints = Checkpoints((folder / "checkpoints").absolute())
        self.busy_seconds = 0.0
        self.ended = 0
        budget = experiment.budget.seconds
        trials = {name: self.trials(name) for name in studies} if budget else {}
        self._seconds = Seconds(budget, trials) if budget else None
        self._enough: bool | None = None  # None: not judged since the last trial ended

    # -- what there is, and what is still to be done -----------------------------------------

    @property
    def families(self) -> tuple[str, ...]:
        """As the experiment names them."""
        return tuple(self._studies)

    def trials(self, family: str) -> list[FrozenTrial]:
        """Every Optuna trial of a family."""
        return self._studies[family].get_trials(deepcopy=False)

    @property
    def running(self) -> int:
        """Trials that are open in this session."""
        return len(self._running)

    def open(self, trial: int) -> Proposal | None:
        """Which of them this is, by its number in the whole journal."""
        for run in self._running.values():
            if run.trial._trial_id == trial:
                return run.proposal
        return None

    def values(self, id_: str) -> Mapping[int, float]:
        """What an open trial has reported: epoch -> value."""
        return self._running[id_].values

    def length(self, family: str) -> int:
        """Epochs of a full trial."""
        epochs, most = self._experiment.budget.epochs, self._spaces[family].epochs
        return epochs if most is None else min(epochs, most)

    def is_over(self, proposal: Proposal, values: Mapping[int, float]) -> bool:
        """Is a trial with these values (epoch -> value) complete?"""
        if not values:
            return False
        goodness = self._experiment.metric.goodness
        best = max(sorted(values), key=lambda epoch: goodness(values[epoch]))
        patience = self._experiment.stopping.patience
        return is_over(max(values), best, self.length(proposal.family), patience)

    def target(self, family: str) -> int | None:
        """Trials in all; a family with nothing to tune has one. None: a budget of seconds.

        Where `stopping.study` ends the search, every family is taken as far as any has begun.
        """
        if not self._spaces[family].parameters:
            return 1
        budget = trials_of_budget(self._experiment, self._studies[family])
        if budget is None or not self._is_enough(budget):
            return budget
        begun = (self._next_number(name) - self._refused(name) for name in self._tuned)
        return min(budget, max(begun))

    @property
    def _tuned(self) -> list[str]:
        return [name for name in self._studies if self._spaces[name].parameters]

    def _is_enough(self, budget: int) -> bool:
        rule = self._experiment.stopping.study
        if self._enough is None:
            self._enough = rule is not None and is_enough(
                {name: self.trials(name) for name in self._tuned},
                budget,
                rule.below,
                self._experiment.metric,
            )
        return self._enough

    def note_end(self) -> None:
        """Write down that `stopping.study` has ended the search, if it has: by its trials alone it
        can't be told from one that was cut off.
        """
        if self._experiment.stopping.study is None or self._running or self.remaining():
            return
        for name in self._tuned:
            target, study = self.target(name), self._studies[name]
            budget = trials_of_budget(self._experiment, study)
            if target is not None and budget is not None and target < budget:
                mark_end(study, EarlyEnd(target, budget))

    def waits(self, family: str) -> bool:
        """Has a family to wait for others, so that `stopping.study` is judged the same whatever
        finishes first?
        """
        if self._experiment.stopping.study is None or not self._spaces[family].parameters:
            return False
        begun = self.started(family) - self._refused(family)
        behind = (name for name in self._tuned if len(trained(self.trials(name))) < begun)
        return any(self.lacking(name) or self._open(name) for name in behind)

    def started(self, family: str) -> int:
        """Trials that have ended, refused ones included, or are open in this session."""
        return len(finished(self.trials(family))) + self._open(family)

    def _open(self, family: str) -> int:
        return sum(run.proposal.family == family for run in self._running.values())

    def lacking(self, family: str) -> int:
        """Trials that are still to be started or gone on with; at least so many where a budget of
        seconds decides: a trial that was begun is finished, whatever is used up.
        """
        target = self.target(family)
        refused = self._refused(family) if self._spaces[family].parameters else 0
        most = REFUSALS * (target or REFUSALS)
        if target is not None:
            return max(0, target + min(refused, most) - self.started(family))
        assert self._seconds is not None
        open_ = sum(
            trial.state == TrialState.RUNNING and "number" in trial.user_attrs
            for trial in self.trials(family)
        )
        another = self._seconds.left(family) and refused < most
        return max(open_ - self._open(family), int(another))

    def _refused(self, family: str, before: int | None = None) -> int:
        """Trials that were refused, or those of them with a number below `before`."""
        if not self._experiment.limits.given:
            return 0
        return sum(
            is_refused(trial) and (before is None or trial.user_attrs["number"] < before)
            for trial in self.trials(family)
        )

    def is_protected(self, proposal: Proposal) -> bool:
        """Is it one of its family's first trials, which are never stopped, or may it lie on the
        front that is searched?
        """
        earlier = proposal.number - self._refused(proposal.family, proposal.number)
        return earlier < self._experiment.stopping.full_trials or self._may_lie_on_front(proposal)

    def _may_lie_on_front(self, proposal: Proposal) -> bool:
        if (cost := self._experiment.search.cost) is None:
            return False
        own = self._storage.get_trial(self._running[proposal.id].trial._trial_id)
        others, goodness = self.trials(proposal.family), self._experiment.metric.goodness
        return may_lie_on_front(own, others, cost, goodness)

    def remaining(self) -> int:
        """The same of all families."""
        return sum(map(self.lacking, self._studies))

    def next_family(self) -> str | None:
        """The family with the fewest started trials; of equals the one declared first."""
        return min(filter(self.lacking, self._studies), key=self.started, default=None)

    def cut_off(self, family: str) -> tuple[FrozenTrial, ...]:
        """Trials that an earlier session left open, the first first."""
        return tuple(self._cut_off[family])

    def cut_off_ids(self) -> set[str]:
        """Of all families."""
        return {
            trial_id(family, trial.user_attrs["number"])
            for family, trials in self._cut_off.items()
            for trial in trials
        }

    # -- sessions ----------------------------------------------------------------------------

    def extend(self, trials: int) -> None:
        """Raise the target of every tuned family, for this and all later sessions."""
        for name, study in self._studies.items():
            if self._spaces[name].parameters:
                extra = study.user_attrs.get("extra_trials", 0)
                study.set_user_attr("extra_trials", extra + trials)
        self._enough = None

    def begin(self) -> None:
        """Mark a session's beginning, and look through what the last one left open."""
        mark = self._experiment.model_dump(mode="json")
        for name, study in self._studies.items():
            count = len(self.trials(name))
            sampler = session_sampler(self._experiment, name, self._spaces[name], count)
            study.sampler = self._seeing(name, sampler)
            study.set_user_attr("session", mark)
        for name, study in self._studies.items():
            self._look_through(name, study)
        self._enough = None
        self.note_end()

    def _look_through(self, family: str, study: optuna.Study) -> None:
        trials = self.trials(family)
        # Earlier versions closed a trial that was cut off, after they had made a copy of it.
        copied = {t.user_attrs["number"] for t in trials if t.state == TrialState.WAITING}
        for trial in trials:
            attrs = trial.user_attrs
            if trial.state != TrialState.RUNNING:
                continue
            if "reason" in attrs:  # its driver died between a failure's reason and its end
                study.tell(trial.number, state=TrialState.FAIL)
            elif "measured" in attrs and self._refuse(optuna.Trial(study, trial._trial_id)):
                study.tell(trial.number, state=TrialState.PRUNED)
            elif "number" in attrs and attrs["number"] not in copied:
                self._cut_off[family].append(trial)
            else:  # it never became a trial of ours
                self._storage.set_trial_user_attr(trial._trial_id, "reason", INTERRUPTED)
                study.tell(trial.number, state=TrialState.FAIL)
        self._cut_off[family].sort(key=lambda t: t.user_attrs["number"])

    # -- a trial's life ----------------------------------------------------------------------

    def ask(self, family: str, batch: tuple[int, int] | None = None) -> Proposal:
        """Go on with the first trial of a family that was cut off, or begin a new one.

        Args:
            family: its name in the study.
            batch: the numbers of the trials that are asked for together, the second one excluded;
                what is suggested then depends on the number alone, not on earlier suggestions.
        """
        study, experiment = self._studies[family], self._experiment
        attempt = 0
        if self._cut_off[family]:
            past = self._cut_off[family].pop(0)
            trial = optuna.Trial(study, past._trial_id)
            if booked(past):
                return self._resume(family, trial, past)
            number = past.user_attrs["number"]
        else:
            number = self._next_number(family)
            if batch is not None:
                sampler = trial_sampler(experiment, family, self._spaces[family], number)
                study.sampler = self._seeing(family, sampler)
            trial = study.ask()
            number = trial.user_attrs.get("number", number)
            attempt = trial.user_attrs.get("attempt", 0)
        config = self._spaces[family].suggest(trial)
        seed = experiment.seed + number  # the same for the n-th trial of every family
        kept = {"config": config, "seed": seed, "attempt": attempt}
        if batch is not None:
            kept["batch"] = list(batch)
        for key, value in {**kept, "number": number}.items():  # with its number it is one of ours
            trial.set_user_attr(key, value)
        id_ = trial_id(family, number)
        self._forget_what_is_ahead(id_, 0)
        proposal = Proposal(id_, family, number, config, seed, self.length(family))
        self._running[id_] = _Running(proposal, trial)
        self._emit(TrialStarted(id_, family, attempt, config, seed))
        return proposal

    def _seeing(self, family: str, sampler: BaseSampler) -> BaseSampler:
        lower_is_better = self._experiment.metric.lower_is_better
        return seeing(
            sampler,
            self._spaces[family],
            self._earlier[family],
            lower_is_better,
            widened=family in self._widened,
            cost=self._experiment.search.cost,
        )

    def _next_number(self, family: str) -> int:
        return 1 + max((t.user_attrs.get("number", -1) for t in self.trials(family)), default=-1)

    def _resume(self, family: str, trial: optuna.Trial, past: FrozenTrial) -> Proposal:
        attrs = past.user_attrs
        id_, attempt = trial_id(family, attrs["number"]), attrs["attempt"] + 1
        self._forget_what_is_ahead(id_, max(past.intermediate_values, default=0))
        number, config, seed = attrs["number"], attrs["config"], attrs["seed"]
        known = "measured" in attrs
        proposal = Proposal(id_, family, number, config, seed, self.length(family), known)
        trial.set_user_attr("attempt", attempt)
        self._running[id_] = _Running(proposal, trial, dict(past.intermediate_values))
        self._emit(
            TrialStarted(id_, family, attempt, proposal.config, proposal.seed, epochs_of(past))
        )
        return proposal

    def _forget_what_is_ahead(self, id_: str, booked: int) -> None:
        """From a checkpoint that is more than an epoch ahead, epochs would be missing for ever.

        It is there if a worker outlived its driver's disk, and went on.
        """
        if self.checkpoints.epoch(id_) > booked + 1:
            self.checkpoints.remove(id_)

    def measured(self, id_: str, found: Mapping[str, float]) -> bool:
        """Book what a configuration takes of what is limited, before an epoch of it is booked.

        Returns:
            May it be trained? Otherwise it is refused, and has ended.
        """
        run = self._running[id_]
        before = run.trial.user_attrs.get("measured", {})  # before its worker or driver died
        if not found.keys() - before.keys():
            return True
        run.trial.set_user_attr("measured", {**found, **before})
        if self._refuse(run.trial):
            self._end(run, TrialState.PRUNED)
            return False
        return True

    def _refuse(self, trial: optuna.Trial) -> bool:
        """Tell the sampler how far a configuration is inside of the limits, or outside (> 0), and
        say so if it is outside.
        """
        limits, measured = self._experiment.limits.given, trial.user_attrs["measured"]
        for name, value in measured.items():
            if name in trial.constraints:  # told before a crash
                continue
            trial.set_constraint(name, math.log(max(value, sys.float_info.min) / limits[name]))
        over = {name: limits[name] for name, value in measured.items() if value > limits[name]}
        if over:
            trial.set_user_attr("refused", over)
        return bool(over)

    def report(self, id_: str, report: EpochReport) -> bool:
        """Book an epoch; False: it had been booked before its worker or driver died."""
        run = self._running[id_]
        before = run.values.get(report.epoch)
        if before is not None:
            if before != report.value:
                log.warning(
                    "%s: epoch %d came out as %s this time, as %s before; the first stays",
                    *(id_, report.epoch, report.value, before),
                )
            return False
        self.busy_seconds += report.seconds
        if self._seconds is not None:
            self._seconds.use(run.proposal.family, report.seconds)
        run.trial.set_user_attr(f"epoch {report.epoch}", report.entry())
        run.trial.report(report.value, report.epoch)
        run.values[report.epoch] = report.value
        self._emit(EpochReported(id_, report))
        return True

    def complete(self, id_: str, best: EpochReport) -> None:
        """Book a trial that is over; its value is its best epoch's."""
        run = self._running[id_]
        values = [
            FoldValues(name, users, value)
            for (name, users), value in zip(self._users, best.user_values, strict=True)
        ]
        write_user_values(self._folder, id_, values)
        goodness = self._experiment.metric.goodness
        self._end(run, TrialState.COMPLETE, max(run.values.values(), key=goodness))

    def prune(self, id_: str) -> None:
        """Book a trial that was stopped early."""
        self._end(self._running[id_], TrialState.PRUNED)

    def fail(self, id_: str, reason: str) -> None:
        """Book a trial that can't go on."""
        run = self._running[id_]
        run.trial.set_user_attr("reason", reason)
        if self._seconds is not None:
            self._seconds.failed(run.proposal.family)
        self._end(run, TrialState.FAIL)

    def _end(self, run: _Running, state: TrialState, value: float | None = None) -> None:
        family, id_ = run.proposal.family, run.proposal.id
        told = self._studies[family].tell(run.trial, value, state=state)
        del self._running[id_]
        self.ended += 1
        self._enough = None
        self.checkpoints.remove(id_)
        self.note_end()
        self._emit(TrialEnded(trial_row(family, told, self._experiment.metric.lower_is_better)))
