"""A sweep's events as W&B runs: one a trial, and one for the study with its tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsweep.config.schema import Experiment
from recsweep.records.costs import costs_of, energy_of
from recsweep.records.study import TrialRow
from recsweep.tracking.artifacts import prepared_data, search_space
from recsweep.tracking.epoch_metrics import define_metrics, epoch_metrics
from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)
from recsweep.tracking.stage_runs import StageRun, log_stage, study_config, tags
from recsweep.tracking.tables import fronts_table, leaderboard_table, space_table
from recsweep.tracking.wandb_mode import Mode
from recsweep.tracking.wandb_session import Session
from recsweep.training.epoch import EpochReport


@dataclass(frozen=True, slots=True)
class _Open:
    """A trial's run, and all that it was told."""

    run: Any
    started: TrialStarted
    epochs: list[EpochReport]


class Runs:
    """The open runs. `take` is called by one thread only."""

    def __init__(self, folder: Path, experiment: Experiment, mode: Mode) -> None:
        self.session = Session(folder, experiment, mode)
        self._open: dict[str, _Open] = {}
        self._lost = 0  # how often the service was
        self._trials: list[TrialRow] = []
        self._study: SweepStarted | None = None

    def take(self, event: Event) -> None:
        """Begin, feed or end the run that an event is about."""
        match event:
            case SweepStarted():
                self._study, self._trials = event, list(event.done)
            case TrialStarted():
                self._begin(event, [])
            case EpochReported():
                trial = self._open[event.id]
                trial.run.log(epoch_metrics(event.report, trial.started.config))
                trial.epochs.append(event.report)
            case TrialEnded():
                self._end(event.trial)
                self._trials.append(event.trial)
            case SweepEnded():
                self._finish(event)

    def take_again(self, event: Event) -> None:
        """Take an event that was on its way when the service died, and the open runs with it.

        They are begun once more under ids of their own, with the epochs that they had.
        """
        self._lost += 1
        for trial in list(self._open.values()):
            self._begin(trial.started, trial.epochs, f"-again{self._lost}")
        self.take(event)

    def _begin(self, event: TrialStarted, epochs: list[EpochReport], again: str = "") -> None:
        study = self._started
        attempt = f"-{event.attempt}" if event.attempt else ""
        run = self.session.open(
            id=f"{event.id}{attempt}{again}-{study.uid}",
            name=event.id,
            job_type="trial",
            tags=tags(study.experiment, "sweep", event.family),
            config={
                **study_config(study.experiment, study.fingerprint),
                "family": event.family,
                "kind": study.spaces[event.family].family,
                "trial": event.id,
                "number": int(event.id.rpartition("-")[2]),
                "seed": event.seed,
                **event.config,
            },
        )
        metric = study.experiment.metric
        define_metrics(run, metric.key, lower_is_better=metric.lower_is_better)
        for epoch in (*event.earlier, *epochs):  # so that the run holds the whole curve
            run.log(epoch_metrics(epoch, event.config))
        self._open[event.id] = _Open(run, event, epochs)

    def _end(self, trial: TrialRow) -> None:
        run = self._open[trial.id].run
        best = trial.best
        run.summary.update(
            {
                "state": trial.state,
                "reason": trial.reason or "",  # why it was stopped or failed
                "epochs": len(trial.epochs),
                "fit_seconds": trial.fit_seconds,
                "evaluate_seconds": trial.evaluate_seconds,
                **costs_of(trial),
                **({"best_epoch": best.epoch, "best_value": best.value} if best else {}),
            }
        )
        self.session.close(run, failed=trial.state == "failed")
        del self._open[trial.id]

    def _finish(self, event: SweepEnded) -> None:
        for trial in self._open.values():  # they were cut off
            trial.run.summary.update({"state": "interrupted"})
            self.session.close(trial.run, failed=True)
        self._open.clear()
        study = self._started
        experiment = study.experiment
        stage = StageRun(
            id=f"study-{study.session}-{study.uid}",
            name=experiment.study,
            job_type="study",
            tags=tags(experiment, "sweep"),
            config={
                **study_config(experiment, study.fingerprint),
                "families": list(experiment.families),
                "trials": dict(study.targets),
            },
            summary={
                "trials": len(self._trials),
                "efficiency": event.session.efficiency,
                "wall_seconds": event.session.wall_seconds,
                "interrupted": event.interrupted,
                **_energy(experiment, self._trials),
            },
            tables={
                "space": space_table(study.spaces),
                "leaderboard": leaderboard_table(experiment, self._trials),
                "fronts": fronts_table(experiment, self._trials),
            },
            took=(
                prepared_data(study.dataset, study.fingerprint),
                search_space(experiment.study, study.spaces),
            ),
        )
        log_stage(self.session, stage)

    @property
    def _started(self) -> SweepStarted:
        assert self._study is not None  # always the first event
        return self._study


def _energy(experiment: Experiment, trials: Sequence[TrialRow]) -> dict[str, float]:
    """Of all trials, where it was asked for."""
    if experiment.energy is None:
        return {}
    return dict(zip(("kwh", "kwh_estimated"), energy_of(trials), strict=True))
