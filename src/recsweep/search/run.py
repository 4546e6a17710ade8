"""A sweep: one Ray Tune run over all families, started fresh or resumed from Optuna's studies."""

import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.error import TuneError

from recsweep.config.schema import Experiment
from recsweep.data.types import Fold
from recsweep.errors import WorkFailed
from recsweep.records.study import SweepSession
from recsweep.search.cluster import bundle, cluster
from recsweep.search.interrupts import stop_requested
from recsweep.search.ledger import Ledger
from recsweep.search.lock import study_lock
from recsweep.search.scheduler import FamilyScheduler
from recsweep.search.searcher import LedgerSearcher
from recsweep.search.sessions import SessionClock
from recsweep.search.space import Space
from recsweep.search.storage import open_family, open_storage
from recsweep.search.trials import trial_rows
from recsweep.search.worker import MakeTrial, Worker, one_line
from recsweep.tracking.events import (
    Broadcast,
    Event,
    Listener,
    SweepEnded,
    SweepStarted,
    TrialEnded,
)
from recsweep.training.trial import Trial


def run_search(
    experiment: Experiment,
    spaces: Mapping[str, Space],
    folds: Sequence[Fold],
    folder: Path,
    *,
    fingerprint: str,
    dataset: str = "",
    listeners: Sequence[Listener] = (),
    extra_trials: int = 0,
    make_trial: MakeTrial = Trial,
) -> SweepSession | None:
    """Run every trial that the study still lacks; None if it lacks none.

    Args:
        experiment: what is asked.
        spaces: one a family, by its name in the study.
        folds: what every trial is scored on.
        folder: the study's folder; its Optuna journal decides what is still to be done.
        fingerprint: of the prepared data.
        dataset: folder name of the prepared data, for listeners.
        listeners: told of everything as it happens, in this process.
        extra_trials: added to every tuned family's target, now and in later sessions.
        make_trial: stands in for `Trial` in tests.

    Raises:
        BadInput: the study was begun with other settings or data, is being swept by another
            process, or asks for more than the machines have.
        WorkFailed: Ray broke down; the study can be resumed.
        KeyboardInterrupt: SIGINT or SIGTERM; the study can be resumed.
    """
    tell = Broadcast()
    with study_lock(folder):
        storage = open_storage(folder, heal=True)
        studies = {
            name: open_family(storage, name, spaces[name], experiment, fingerprint)
            for name in experiment.families
        }
        ledger = Ledger(folder, experiment, spaces, storage, studies, folds, tell)
        ledger.recover()
        if extra_trials:
            ledger.extend(extra_trials)
        if ledger.remaining() == 0:
            return None
        before = time.monotonic()
        with cluster(experiment.resources) as workers:
            clock = SessionClock(folder, workers, time.monotonic() - before)
            tell.add(lambda event: _save(event, clock, ledger))
            for listener in listeners:
                tell.add(listener)
            tell(
                SweepStarted(
                    experiment=experiment,
                    spaces={name: space.declared for name, space in spaces.items()},
                    targets={name: ledger.target(name) for name in experiment.families},
                    done=trial_rows(list(studies.values())),
                    workers=workers,
                    uid=next(iter(studies.values())).user_attrs["uid"],
                    session=clock.index,
                    dataset=dataset,
                    fingerprint=fingerprint,
                )
            )
            finished = False
            try:
                kinds = {name: space.family for name, space in spaces.items()}
                shared = {"kinds": kinds, "folds": tuple(folds), "make_trial": make_trial}
                _tune(experiment, ledger, workers, shared)
                finished = True
            finally:
                ledger.interrupt()
                session = clock.save(ledger.busy_seconds, ledger.ended)
                tell(SweepEnded(session, interrupted=not finished))
        if left := ledger.remaining():
            raise WorkFailed(
                f"{folder}: Ray ended the sweep with {left} trials to go; run it again"
            )
        return session


def _save(event: Event, clock: SessionClock, ledger: Ledger) -> None:
    if isinstance(event, TrialEnded):
        clock.save(ledger.busy_seconds, ledger.ended)


def _tune(experiment: Experiment, ledger: Ledger, workers: int, shared: Mapping[str, Any]) -> None:
    with tempfile.TemporaryDirectory(prefix="recsweep-") as scratch, stop_requested() as stop:
        try:
            tune.run(
                tune.with_parameters(Worker, experiment=experiment, **shared),
                name="sweep",
                num_samples=ledger.remaining(),
                search_alg=LedgerSearcher(ledger),
                scheduler=FamilyScheduler(ledger, experiment),
                max_concurrent_trials=workers,
                resources_per_trial=tune.PlacementGroupFactory([bundle(experiment.resources)]),
                reuse_actors=True,
                max_failures=1,  # a worker that was killed; a trial's own failure is no exception
                raise_on_failed_trial=False,
                storage_path=scratch,
                callbacks=[_Relay(ledger, stop)],
                trial_name_creator=lambda trial: trial.config["proposal"].id,
                trial_dirname_creator=lambda trial: trial.config["proposal"].id,
                verbose=0,
            )
        except (TuneError, ray.exceptions.RayError) as error:
            raise WorkFailed(f"Ray broke down ({one_line(error)}); run the sweep again") from error


class _Relay(tune.Callback):  # type: ignore[misc]
    """What only a callback of Ray Tune gets to see."""

    def __init__(self, ledger: Ledger, stop: threading.Event) -> None:
        self._ledger, self._stop = ledger, stop

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Keep learners' scores out of Ray's own books."""
        result.pop("report", None)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A trial whose worker died twice."""
        error = trial.get_pickled_error()
        cause = getattr(error, "cause", None) or error
        self._ledger.fail(
            trial.config["proposal"].id,
            f"its worker died: {type(cause).__name__}: {one_line(cause)}"
            if cause
            else "its worker died",
        )

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """Between two events nothing is half written: the place to stop."""
        if self._stop.is_set():
            raise KeyboardInterrupt
