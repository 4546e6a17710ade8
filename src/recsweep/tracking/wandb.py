"""W&B: one run a trial and one for the study, from the driver, off the critical path.

A thread of its own talks to W&B, so that neither a slow network nor a slow disk holds a trial up.
Without a login the runs are files under `results/<study>/wandb`, for `wandb sync` or `wandb leet`.
"""

import logging
import netrc
import os
import queue
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import wandb

from recsweep.config.schema import Experiment, Tracking
from recsweep.errors import BadInput
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

log = logging.getLogger(__name__)

Mode = Literal["online", "offline"]
HOSTS = ("api.wandb.ai", "api.forge.coreweave.com")  # of the public server, one in two names
INTERRUPT_SECONDS = 3.0
"""After Ctrl-C nobody waits longer, whatever the experiment says."""


def resolve_mode(tracking: Tracking) -> Mode | None:
    """Where runs go; None: nowhere.

    Raises:
        BadInput: `online` without a login.
    """
    if tracking.wandb == "off":
        return None
    if tracking.wandb == "offline":
        return "offline"
    asked = os.environ.get("WANDB_MODE")
    if tracking.wandb == "auto" and asked in ("offline", "disabled"):
        return "offline" if asked == "offline" else None
    if logged_in():
        return "online"
    if tracking.wandb == "online":
        raise BadInput(
            "tracking.wandb: online needs a login: run `wandb login`, set WANDB_API_KEY, "
            "or take auto or offline"
        )
    return "offline"


def logged_in() -> bool:
    """Is there a key for the W&B server, in the environment or in the netrc file?"""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE"):
        return True
    path = Path(os.environ.get("NETRC", "~/.netrc")).expanduser()
    try:
        keys = netrc.netrc(str(path))
    except (OSError, netrc.NetrcParseError):
        return False
    host = urlsplit(os.environ.get("WANDB_BASE_URL", "")).netloc
    return any(keys.authenticators(name) for name in ((host,) if host else HOSTS))


class WandbListener:
    """Turns a sweep's events into W&B runs.

    `waited` is how long the end of the sweep waited for it, in seconds.
    """

    def __init__(self, folder: Path, tracking: Tracking, mode: Mode) -> None:
        self._tracking, self._folder = tracking, folder
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._runs = _Runs(folder, tracking, mode)
        self._thread = threading.Thread(target=self._work, name="wandb", daemon=True)
        self._thread.start()
        self.waited = 0.0

    def __call__(self, event: Event) -> None:
        """Pass an event on; at the sweep's end, wait a moment for what is under way."""
        self._queue.put(event)
        if isinstance(event, SweepEnded):
            self._close(event.interrupted)

    def _close(self, interrupted: bool) -> None:
        limit = self._tracking.close_seconds
        if interrupted:
            limit = min(limit, INTERRUPT_SECONDS)
        began = time.monotonic()
        self._thread.join(limit / 2)
        if self._thread.is_alive():  # what is still to come goes to files, which is quick
            self._runs.mode = "offline"
            self._thread.join(limit / 2)
        self.waited = time.monotonic() - began
        if self._thread.is_alive() or self._runs.unsent:
            log.warning(
                "W&B did not take everything; send the rest later: wandb sync %s/offline-run-*",
                self._folder / "wandb",
            )

    def _work(self) -> None:
        wandb.setup(wandb.Settings(silent=True))
        ended = False
        while not ended:
            event = self._queue.get()
            ended = isinstance(event, SweepEnded)
            try:
                self._runs.take(event)
            except Exception as error:
                log.warning("W&B hears no more: %s: %s", type(error).__name__, error)
                return


class _Runs:
    """The open runs. Used by one thread only."""

    def __init__(self, folder: Path, tracking: Tracking, mode: Mode) -> None:
        self._folder, self._tracking, self.mode = folder, tracking, mode
        self._open: dict[str, Any] = {}
        self._trials: list[TrialRow] = []
        self._study: SweepStarted | None = None
        self.unsent = False

    def take(self, event: Event) -> None:
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
        key = study.experiment.metric.key
        run.define_metric(key, step_metric="epoch", summary="max,last")
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
