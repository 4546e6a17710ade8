"""A sweep: one Ray Tune run over all families, started fresh or resumed from Optuna's studies."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import ray
from ray import tune
from ray.tune.error import TuneError

from recsweep.config.schema import Experiment
from recsweep.data.types import Fold
from recsweep.errors import WorkFailed, one_line
from recsweep.records.earlier import Earlier
from recsweep.records.lock import study_lock
from recsweep.records.study import SweepSession
from recsweep.search.cluster import cluster
from recsweep.search.designs import check_grid
from recsweep.search.interrupts import stop_requested
from recsweep.search.ledger import Ledger
from recsweep.search.placement import request
from recsweep.search.policy import Policy, policy_of
from recsweep.search.scheduler import PolicyScheduler
from recsweep.search.searcher import PolicySearcher
from recsweep.search.sessions import SessionClock
from recsweep.search.storage import open_family, open_storage
from recsweep.search.trials import trial_rows
from recsweep.search.watch import Watch
from recsweep.search.worker import Shared, Worker
from recsweep.spaces.space import Space
from recsweep.tracking.events import (
    Broadcast,
    Event,
    Listener,
    SweepEnded,
    SweepStarted,
    TrialEnded,
)
from recsweep.training.trial import MakeTrial, Trial


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
    earlier: Earlier = MappingProxyType({}),
    widen: bool = False,
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
        earlier: studies that tuned families begin with, if this one has not begun.
        widen: take wider ranges than the study began with.
        make_trial: stands in for `Trial` in tests.

    Raises:
        BadInput: the study was begun with other settings or data, is being swept by another
            process, or asks for more than the machines have.
        WorkFailed: Ray broke down; the study can be resumed.
        KeyboardInterrupt: SIGINT or SIGTERM; the study can be resumed.
    """
    tell = Broadcast()
    with _disk(folder), study_lock(folder):
        storage = open_storage(folder, heal=True)
        studies = {
            name: open_family(
                storage,
                name,
                spaces[name],
                experiment,
                fingerprint,
                earlier.get(name, ()),
                widen=widen,
            )
            for name in experiment.families
        }
        ledger = Ledger(folder, experiment, spaces, storage, studies, folds, tell)
        uid = next(iter(studies.values())).user_attrs["uid"]
        if experiment.search.sampler == "grid":
            for name in ledger.families:
                if not (extra_trials or ledger.turns.lacking(name)):
                    continue
                target = (ledger.turns.target(name) or 0) + extra_trials
                check_grid(spaces[name], experiment.search.levels, ledger.trials(name), target)
        if extra_trials:
            ledger.turns.extend(extra_trials)
        if ledger.turns.remaining() == 0:
            ledger.turns.note_end()
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
                    spaces=spaces,
                    targets={name: ledger.turns.target(name) for name in experiment.families},
                    done=trial_rows(list(studies.values())),
                    workers=workers,
                    uid=uid,
                    session=clock.index,
                    dataset=dataset,
                    fingerprint=fingerprint,
                )
            )
            finished = False
            try:
                ledger.begin()
                ledger.checkpoints.keep(ledger.cut_off_ids())
                policy = policy_of(ledger, experiment)
                shared = Shared(
                    experiment=experiment,
                    kinds={name: space.family for name, space in spaces.items()},
                    folds=tuple(folds),
                    checkpoints=ledger.checkpoints,
                    home=ray.get_runtime_context().get_node_id(),
                    uid=uid,
                    make_trial=make_trial,
                )
                _tune(shared, policy, workers, folder)
                finished = True
            except WorkFailed:
                if ledger.turns.remaining() + ledger.running:
                    raise
                finished = True  # Ray broke down after its last trial had been booked
            finally:
                session = _last_words(clock, ledger)
                tell(SweepEnded(session, interrupted=not finished))
        if left := ledger.turns.remaining() + ledger.running:
            raise WorkFailed(
                f"{folder}: Ray ended the sweep with {left} trials to go; run it again"
            )
        return session


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """A disk that is full or can't be written to is one line, and no harm to what was booked."""
    try:
        yield
    except OSError as error:
        raise WorkFailed(
            f"{error.filename or folder}: {error.strerror or error}; nothing that was booked is "
            "lost: see to the disk and run the same command again"
        ) from error


def _last_words(clock: SessionClock, ledger: Ledger) -> SweepSession:
    """The session's times; what ends a sweep may be that they can't be written."""
    try:
        return clock.save(ledger.busy_seconds, ledger.ended)
    except OSError:
        return clock.session(ledger.busy_seconds, ledger.ended)


def _save(event: Event, clock: SessionClock, ledger: Ledger) -> None:
    if isinstance(event, TrialEnded):
        clock.save(ledger.busy_seconds, ledger.ended)


def _tune(shared: Shared, policy: Policy, workers: int, folder: Path) -> None:
    resources = shared.experiment.resources
    with tempfile.TemporaryDirectory(prefix="recsweep-") as scratch, stop_requested() as stop:
        watch = Watch(policy, folder, resources.silence_seconds, stop)
        try:
            tune.run(
                tune.with_parameters(Worker, shared=shared),
                name="sweep",
                num_samples=10**9,  # the searcher says when it is over
                search_alg=PolicySearcher(policy, watch),
                scheduler=PolicyScheduler(policy, watch),
                max_concurrent_trials=workers,
                resources_per_trial=request(resources),
                reuse_actors=True,
                max_failures=0,  # a worker that was killed is no failure: see `deaths.py`
                raise_on_failed_trial=False,
                storage_path=scratch,
                callbacks=[watch],
                trial_name_creator=lambda trial: trial.config["proposal"].id,
                trial_dirname_creator=lambda trial: trial.config["proposal"].id,
                verbose=0,
            )
        except (TuneError, ray.exceptions.RayError) as error:
            raise WorkFailed(f"Ray broke down ({one_line(error)}); run the sweep again") from error
