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
from recsweep.records.user_values import FoldValues, write_user_values
from recsweep.search.checkpoints import Checkpoints
from recsweep.search.earlier import kept
from recsweep.search.goals import may_lie_on_front
from recsweep.search.proposal import Proposal
from recsweep.search.sampler import session_sampler, trial_sampler
from recsweep.search.seen import seeing
from recsweep.search.stopping import is_over
from recsweep.search.storage import kept_widenings
from recsweep.search.trials import (
    INTERRUPTED,
    booked,
    epochs_of,
    next_number,
    trial_id,
    trial_row,
)
from recsweep.search.turns import Turns
from recsweep.spaces.space import Space
from recsweep.tracking.events import EpochReported, Event, TrialEnded, TrialStarted
from recsweep.training.epoch import EpochReport

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Running:
    proposal: Proposal
    trial: optuna.Trial
    values: dict[int, float] = field(default_factory=dict)  # epoch -> its value


class Ledger:
    """The one place that writes to the Optuna studies, but for what `turns` notes of their ends.

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
        self.turns = Turns(experiment, spaces, studies, self._open_of)

    # -- what there is ------------------------------------------------------------------------

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

    def _open_of(self, family: str) -> int:
        return sum(run.proposal.family == family for run in self._running.values())

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

    def is_protected(self, proposal: Proposal) -> bool:
        """Is it one of its family's first trials, which are never stopped, or may it lie on the
        front that is searched?
        """
        earlier = proposal.number - self.turns.refused(proposal.family, proposal.number)
        return earlier < self._experiment.stopping.full_trials or self._may_lie_on_front(proposal)

    def _may_lie_on_front(self, proposal: Proposal) -> bool:
        if (cost := self._experiment.search.cost) is None:
            return False
        own = self._storage.get_trial(self._running[proposal.id].trial._trial_id)
        others, goodness = self.trials(proposal.family), self._experiment.metric.goodness
        return may_lie_on_front(own, others, cost, goodness)

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
        self.turns.note_end()

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
            number = next_number(self.trials(family))
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
        self.turns.used(run.proposal.family, report.seconds)
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
        self.turns.failed(run.proposal.family)
        self._end(run, TrialState.FAIL)

    def _end(self, run: _Running, state: TrialState, value: float | None = None) -> None:
        family, id_ = run.proposal.family, run.proposal.id
        told = self._studies[family].tell(run.trial, value, state=state)
        del self._running[id_]
        self.ended += 1
        self.checkpoints.remove(id_)
        self.turns.note_end()
        self._emit(TrialEnded(trial_row(family, told, self._experiment.metric.lower_is_better)))
