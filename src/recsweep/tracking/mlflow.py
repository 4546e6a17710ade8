"""MLflow: one run a trial, under one for each session of the sweep, with what W&B's runs hold.

Where they go MLflow decides: to `MLFLOW_TRACKING_URI`, or to its local store (`mlflow.db`) in the
folder that the sweep was started in. A thread of its own talks to it.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Mapping
from typing import Any

from recsweep.config.schema import Experiment
from recsweep.errors import BadInput
from recsweep.tracking.epoch_metrics import epoch_metrics
from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)
from recsweep.tracking.stage_runs import study_config

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

log = logging.getLogger(__name__)

PARAMETERS = 100
"""That MLflow takes at once."""


class MlflowListener:
    """Turns a sweep's events into MLflow runs."""

    def __init__(self, experiment: Experiment) -> None:
        """Raise `BadInput` where the extra isn't installed."""
        try:
            import mlflow
        except ImportError as error:
            raise BadInput(
                f"tracking.mlflow: {error.name} is not installed; install it with pip install "
                "'recsweep[mlflow]'"
            ) from None
        for name in (mlflow.__name__, "alembic"):  # they tell of every table of a new store
            logging.getLogger(name).setLevel(logging.WARNING)
        self._seconds = experiment.tracking.close_seconds
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="mlflow", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Pass an event on; at the sweep's end, wait a moment for what is under way."""
        self._queue.put(event)
        if isinstance(event, SweepEnded):
            self._thread.join(self._seconds)
            if self._thread.is_alive():
                log.warning("MLflow did not take everything within %g s", self._seconds)

    def _work(self) -> None:
        try:
            runs, event = _Runs(), self._queue.get()
            while not isinstance(event, SweepEnded):
                runs.take(event)
                event = self._queue.get()
            runs.end(event)
        except Exception as error:
            told = " ".join(f"{type(error).__name__}: {error}".split())
            log.warning("MLflow hears no more: %s", told)


class _Runs:
    """The open runs; used by one thread."""

    def __init__(self) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient()
        self._open: dict[str, tuple[str, TrialStarted]] = {}  # trial -> its run

    def take(self, event: Event) -> None:
        """Begin, feed or end the run that an event is about."""
        match event:
            case SweepStarted():
                self._begin(event)
            case TrialStarted():
                self._begin_trial(event)
            case EpochReported():
                run, started = self._open[event.id]
                self._epoch(run, epoch_metrics(event.report, started.config))
            case TrialEnded():
                trial, best = event.trial, event.trial.best
                run, _ = self._open.pop(trial.id)
                if best is not None:
                    self._epoch(run, {"best_epoch": best.epoch, "best_value": best.value})
                self._client.set_tag(run, "state", trial.state)
                self._client.set_tag(run, "reason", trial.reason or "")
                ended = "FAILED" if trial.state == "failed" else "FINISHED"
                self._client.set_terminated(run, ended)

    def end(self, event: SweepEnded) -> None:
        """End what is open; trials were cut off."""
        for run, _ in self._open.values():
            self._client.set_tag(run, "state", "interrupted")
            self._client.set_terminated(run, "KILLED")
        session = event.session
        told = {
            "trials": session.trials,
            "wall_seconds": session.wall_seconds,
            "efficiency": session.efficiency,
        }
        self._epoch(self._session, told)
        self._client.set_terminated(self._session, "KILLED" if event.interrupted else "FINISHED")

    def _begin(self, event: SweepStarted) -> None:
        experiment, client = event.experiment, self._client
        found = client.get_experiment_by_name(experiment.study)
        self._experiment = (
            client.create_experiment(experiment.study) if found is None else found.experiment_id
        )
        self._tags = {
            "study": event.uid,
            "dataset": experiment.data.name,
            "task": experiment.task,
            "fingerprint": event.fingerprint,
        }
        run = client.create_run(
            self._experiment, run_name=f"{experiment.study}, session {event.session}",
            tags=self._tags,
        )  # fmt: skip
        self._session = run.info.run_id
        self._parameters(self._session, study_config(experiment, event.fingerprint))

    def _begin_trial(self, event: TrialStarted) -> None:
        own = {
            "family": event.family,
            "attempt": str(event.attempt),
            "mlflow.parentRunId": self._session,
        }
        created = self._client.create_run(
            self._experiment, run_name=event.id, tags={**self._tags, **own}
        )
        run = created.info.run_id
        self._open[event.id] = run, event
        self._parameters(run, {"family": event.family, "seed": event.seed, **event.config})
        for epoch in event.earlier:  # so that the run holds the whole curve
            self._epoch(run, epoch_metrics(epoch, event.config))

    def _epoch(self, run: str, metrics: Mapping[str, float]) -> None:
        from mlflow.entities import Metric

        at, now = int(metrics.get("epoch", 0)), int(time.time() * 1000)
        told = [Metric(metric_name(key), value, now, at) for key, value in metrics.items()]
        self._client.log_batch(run, metrics=told)

    def _parameters(self, run: str, values: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        told = [Param(key, str(value)) for key, value in values.items()]
        for at in range(0, len(told), PARAMETERS):
            self._client.log_batch(run, params=told[at : at + PARAMETERS])


def metric_name(key: str) -> str:
    """`ndcg_at_10`, as MLflow itself writes cut-offs: it takes no @."""
    return key.replace("@", "_at_")
