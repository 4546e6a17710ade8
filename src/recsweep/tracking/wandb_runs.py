"""A sweep's events as W&B runs: one a trial, and one for the study with its tables."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wandb

from recsweep.config.schema import Experiment, Tracking
from recsweep.records.study import TrialRow
from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)
from recsweep.tracking.tables import Table, leaderboard_table, space_table
from recsweep.tracking.wandb_mode import Mode

log = logging.getLogger(__name__)


class Runs:
    """The open runs. `take` is called by one thread only; `mode` may be changed by another.

    Without an answer from the server, later runs become files; `unsent` says that some did.
    """

    def __init__(self, folder: Path, tracking: Tracking, mode: Mode) -> None:
        self._folder, self._tracking, self.mode = folder, tracking, mode
        self._open: dict[str, Any] = {}
        self._trials: list[TrialRow] = []
        self._study: SweepStarted | None = None
        self.unsent = False

    def take(self, event: Event) -> None:
        """Begin, feed or end the run that an event is about."""
        match event:
            case SweepStarted():
                self._study, self._trials = event, list(event.done)
            case TrialStarted():
                self._begin(event)
            case EpochReported():
                self._open[event.id].log(_epoch_metrics(event))
            case TrialEnded():
                self._trials.append(event.trial)
                self._end(event.trial)
            case SweepEnded():
                self._finish(event)

    def _begin(self, event: TrialStarted) -> None:
        study = self._started
        attempt = f"-{event.attempt}" if event.attempt else ""
        run = self._init(
            id=f"{study.uid}-{event.id}{attempt}",
            name=event.id,
            job_type="trial",
            tags=_tags(study.experiment, event.family),
            config={
                **event.config,
                "family": event.family,
                "seed": event.seed,
                "study": study.experiment.study,
                "dataset": study.experiment.data.name,
            },
        )
        run.define_metric("epoch", summary="last")
        metric = study.experiment.metric
        best = "min" if metric.lower_is_better else "max"
        run.define_metric(metric.key, step_metric="epoch", summary=f"{best},last")
        for name in ("loss", "*"):
            run.define_metric(name, step_metric="epoch")
        self._open[event.id] = run

    def _end(self, trial: TrialRow) -> None:
        run = self._open.pop(trial.id)
        best = trial.best
        run.summary.update(
            {
                "state": trial.state,
                "reason": trial.reason or "",
                "epochs": len(trial.epochs),
                "fit_seconds": trial.fit_seconds,
                "evaluate_seconds": trial.evaluate_seconds,
                **({"best_epoch": best.epoch, "best_value": best.value} if best else {}),
            }
        )
        self._close(run, failed=trial.state == "failed")

    def _finish(self, event: SweepEnded) -> None:
        for run in self._open.values():  # of trials that were cut off
            run.summary.update({"state": "interrupted"})
            self._close(run, failed=True)
        self._open.clear()
        study = self._started
        experiment = study.experiment
        run = self._init(
            id=f"{study.uid}-study-{study.session}",
            name=experiment.study,
            job_type="study",
            tags=_tags(experiment, None),
            config={
                "study": experiment.study,
                "dataset": experiment.data.name,
                "metric": experiment.metric.key,
                "families": list(experiment.families),
                "trials": dict(study.targets),
                "epochs": experiment.budget.epochs,
                "folds": experiment.folds.model_dump(mode="json"),
                "seed": experiment.seed,
            },
        )
        run.log(
            {
                "space": _table(space_table(study.spaces)),
                "leaderboard": _table(leaderboard_table(experiment, self._trials)),
            }
        )
        run.summary.update(
            {
                "trials": len(self._trials),
                "efficiency": event.session.efficiency,
                "wall_seconds": event.session.wall_seconds,
                "interrupted": event.interrupted,
            }
        )
        self._close(run, failed=False)

    @property
    def _started(self) -> SweepStarted:
        assert self._study is not None  # always the first event
        return self._study

    def _init(self, **arguments: Any) -> Any:
        common: dict[str, Any] = {
            "project": self._tracking.project,
            "group": self._started.experiment.study,
            "dir": str(self._folder),
            "reinit": "create_new",
        }
        mode = self.mode
        try:
            settings = _settings(self._tracking)
            return wandb.init(**common, **arguments, mode=mode, settings=settings)
        except Exception:
            if mode == "offline":
                raise
            log.warning("W&B can't be reached; from here on the runs are files")
            self.mode, self.unsent = "offline", True
            arguments["id"] += "-offline"  # the failed one keeps its id for as long as it lives
            return self._init(**arguments)

    def _close(self, run: Any, *, failed: bool) -> None:
        try:
            run.finish(exit_code=1 if failed else 0)
        except TimeoutError:
            self.mode, self.unsent = "offline", True


def _settings(tracking: Tracking) -> wandb.Settings:
    half = tracking.close_seconds / 2
    chosen = {
        "silent": True,
        "console": "off",
        "disable_code": True,
        "disable_git": True,
        "init_timeout": half,
        "finish_timeout": half,
        "finish_timeout_raises": True,
        "x_disable_meta": True,  # host, user and command line are no business of a server
        "x_disable_machine_info": True,
        "x_disable_stats": True,
        "x_transaction_log_flush_interval": 1.0,  # of 15 s, most of a short trial could be lost
    }
    known = wandb.Settings.model_fields
    return wandb.Settings(**{key: value for key, value in chosen.items() if key in known})


def _table(table: Table) -> wandb.Table:
    columns, rows = table
    return wandb.Table(columns=list(columns), data=rows)


def _epoch_metrics(event: EpochReported) -> Mapping[str, float]:
    row = event.row
    metrics: dict[str, float] = {
        "epoch": row.epoch,
        "fit_seconds": event.fit_seconds,
        "evaluate_seconds": event.evaluate_seconds,
    }
    losses = [loss for loss in row.losses if loss is not None]
    if losses:
        metrics["loss"] = sum(losses) / len(losses)
    for key, values in row.metrics.items():
        metrics[key] = sum(values) / len(values)
        metrics |= {f"fold/{n}/{key}": value for n, value in enumerate(values)}
    return metrics


def _tags(experiment: Experiment, family: str | None) -> list[str]:
    tags = [experiment.data.name, experiment.task, "sweep"]
    return [family, *tags] if family else tags
