"""Asks for trials, family by family in turn, and books how they went. Knows nothing of Ray."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import optuna
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from recsweep.config.schema import Experiment
from recsweep.data.types import Fold
from recsweep.records.user_values import FoldValues, write_user_values
from recsweep.search.space import Space
from recsweep.search.trials import (
    INTERRUPTED,
    epoch_entry,
    epoch_row,
    finished,
    trial_id,
    trial_row,
)
from recsweep.tracking.events import EpochReported, Event, TrialEnded, TrialStarted
from recsweep.training.trial import Configuration, EpochReport


@dataclass(frozen=True, slots=True)
class Proposal:
    """A trial that is to be run."""

    id: str
    family: str  # its name in the study
    number: int
    config: Configuration
    seed: int


@dataclass(slots=True)
class _Running:
    proposal: Proposal
    trial: optuna.Trial
    best: EpochReport | None = None
    reported: set[int] = field(default_factory=set)


class Ledger:
    """The one place that writes to the Optuna studies."""

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
        self._users = [(fold.name, fold.validation.histories.user) for fold in folds]
        self._running: dict[str, _Running] = {}
        self.busy_seconds = 0.0
        self.ended = 0

    @property
    def running(self) -> int:
        """Trials that were asked for and have not ended."""
        return len(self._running)

    def trials(self, family: str) -> list[FrozenTrial]:
        """Every Optuna trial of a family, those that were cut off included."""
        return self._studies[family].get_trials(deepcopy=False)

    def extend(self, trials: int) -> None:
        """Raise the target of every tuned family, for this and all later sessions."""
        for name, study in self._studies.items():
            if self._spaces[name].parameters:
                extra = study.user_attrs.get("extra_trials", 0)
                study.set_user_attr("extra_trials", extra + trials)

    def target(self, family: str) -> int:
        """Trials in all; a family with nothing to tune has one."""
        if not self._spaces[family].parameters:
            return 1
        extra: int = self._studies[family].user_attrs.get("extra_trials", 0)
        return self._experiment.budget.trials + extra

    def remaining(self) -> int:
        """Trials of all families that are still to be asked for."""
        return sum(max(0, self.target(name) - self._started(name)) for name in self._studies)

    def next_family(self) -> str | None:
        """The family with the fewest started trials; of equals the one declared first."""
        open_ = [name for name in self._studies if self._started(name) < self.target(name)]
        return min(open_, key=self._started, default=None)

    def _started(self, family: str) -> int:
        mine = sum(run.proposal.family == family for run in self._running.values())
        return len(finished(self.trials(family))) + mine

    def recover(self) -> None:
        """Close what a dead driver left running; each is tried again under its number."""
        for family, study in self._studies.items():
            trials = self.trials(family)
            waiting = {t.user_attrs["number"] for t in trials if t.state == TrialState.WAITING}
            for trial in trials:
                if trial.state == TrialState.RUNNING:
                    self._cut_off(study, trial, waiting)

    def interrupt(self) -> None:
        """Close this session's running trials in the same way."""
        self._running.clear()
        self.recover()

    def _cut_off(self, study: optuna.Study, trial: FrozenTrial, waiting: set[int]) -> None:
        attrs = trial.user_attrs
        number = attrs.get("number")
        if attrs.get("reason", INTERRUPTED) == INTERRUPTED:
            # First the new one: a crash in between is mended by the next session. Without a number
            # it never became a trial of ours.
            if number is not None and number not in waiting:
                params = trial.system_attrs.get("fixed_params", trial.params)
                again = {"number": number, "attempt": attrs.get("attempt", 0) + 1}
                study.enqueue_trial(params, user_attrs=again)
            self._storage.set_trial_user_attr(trial._trial_id, "reason", INTERRUPTED)
        study.tell(trial.number, state=TrialState.FAIL)

    def ask(self, family: str) -> Proposal:
        """Take the next trial of a family: one that was cut off, or a new proposal."""
        study, experiment = self._studies[family], self._experiment
        trial = study.ask()
        config = self._spaces[family].suggest(trial)
        number = trial.user_attrs.get("number")
        if number is None:
            number = 1 + max(
                (t.user_attrs.get("number", -1) for t in self.trials(family)), default=-1
            )
        seed = experiment.seed + number  # the same for the n-th trial of every family
        attempt = trial.user_attrs.get("attempt", 0)
        kept = {"config": config, "seed": seed, "attempt": attempt, "number": number}
        for key, value in kept.items():  # the number last: with it, a trial is ours
            trial.set_user_attr(key, value)
        proposal = Proposal(trial_id(family, number), family, number, config, seed)
        self._running[proposal.id] = _Running(proposal, trial)
        self._emit(TrialStarted(proposal.id, family, attempt, config, seed))
        return proposal

    def report(self, id_: str, report: EpochReport) -> None:
        """Book an epoch. One that is reported again, after its worker died, replaces the first."""
        run = self._running[id_]
        entry = epoch_entry(report)
        run.trial.set_user_attr(f"epoch {report.epoch}", entry)
        if report.epoch not in run.reported:
            run.trial.report(report.value, report.epoch)
        run.reported.add(report.epoch)
        goodness = self._experiment.metric.goodness
        if run.best is None or goodness(report.value) > goodness(run.best.value):
            run.best = report
        self.busy_seconds += report.fit_seconds + report.evaluate_seconds
        row = epoch_row(report.epoch, report.value, entry)
        self._emit(
            EpochReported(
                id=id_,
                row=row,
                fit_seconds=report.fit_seconds,
                evaluate_seconds=report.evaluate_seconds,
                training_events=report.training_events,
                memory_mb=report.memory_mb,
            )
        )

    def complete(self, id_: str) -> None:
        """Book a trial that reached its full length; its value is its best epoch's."""
        run = self._running[id_]
        assert run.best is not None
        values = [
            FoldValues(name, users, value)
            for (name, users), value in zip(self._users, run.best.user_values, strict=True)
        ]
        write_user_values(self._folder, id_, values)
        self._end(run, TrialState.COMPLETE, run.best.value)

    def prune(self, id_: str) -> None:
        """Book a trial that was stopped early."""
        self._end(self._running[id_], TrialState.PRUNED)

    def fail(self, id_: str, reason: str) -> None:
        """Book a trial that can't go on."""
        run = self._running[id_]
        run.trial.set_user_attr("reason", reason)
        self._end(run, TrialState.FAIL)

    def _end(self, run: _Running, state: TrialState, value: float | None = None) -> None:
        family = run.proposal.family
        told = self._studies[family].tell(run.trial, value, state=state)
        del self._running[run.proposal.id]
        self.ended += 1
        self._emit(TrialEnded(trial_row(family, told, self._experiment.metric.lower_is_better)))
