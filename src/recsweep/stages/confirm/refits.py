"""Refitting selected configurations side by side, each scored once on one fold."""

import multiprocessing
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import torch

from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.data.features.choose import with_features
from recsweep.data.types import Fold
from recsweep.errors import WorkFailed
from recsweep.stages.machine import device_of, threads
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import ListMaker, Lists, Outcomes, Scorer, Task
from recsweep.training.process import environment_variables
from recsweep.training.refit import refit
from recsweep.training.trial import Diverged


@dataclass(frozen=True, slots=True)
class Job:
    """One refit of one family."""

    family: str  # its name in the study
    kind: str  # its name in the registry
    config: Configuration
    epochs: int
    seed: int
    work: float  # seconds it is expected to take; only their proportions matter
    search: int = 1  # the study's own is 1


@dataclass(frozen=True, slots=True)
class Scored:
    """What one refit reached."""

    job: Job
    outcomes: Outcomes  # (n_targets,)
    lists: Lists | None  # None: the task makes none
    fit_seconds: float


@dataclass(frozen=True, slots=True)
class RefitEnded:
    """Progress: one more refit is done."""

    job: Job
    done: int
    total: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Test:
    """What all refits share."""

    fold: Fold
    experiment: Experiment
    best_possible: float | None = None  # of the metric, where a simulator knows the truth
    categories: Any = None  # of the fold's courses, see `Task.categories`

    @property
    def task(self) -> Task[Any]:
        """By name: it can't travel to other processes."""
        return TASKS[self.experiment.task]


@dataclass(frozen=True, slots=True)
class _Seat:
    """The test as the families of one set of features see it."""

    fold: Fold
    scorer: Scorer[Any]
    lists: ListMaker[Any] | None


class Bench:
    """One process's view of the test: laid out once, for one model after another."""

    def __init__(self, test: Test, device: torch.device) -> None:
        self._test, self._device, self._task = test, device, test.task
        self._seats: dict[tuple[str, ...] | None, _Seat] = {}

    def _seat(self, family: str) -> _Seat:
        features = self._test.experiment.features_of(family)
        if features not in self._seats:
            fold, device, lists = with_features(self._test.fold, features), self._device, None
            metric = self._test.experiment.metric
            if self._task.lists is not None:
                seen = fold.validation, fold.training, metric, device, self._test.categories
                lists = self._task.lists(*seen)
            scorer = self._task.scorer(fold.validation, fold.n_items, device)
            self._seats[features] = _Seat(fold, scorer, lists)
        return self._seats[features]

    def score(self, job: Job) -> Scored:
        """Train, then look at the test once.

        Raises:
            WorkFailed: the refit diverged.
        """
        test, seat = self._test, self._seat(job.family)
        started = time.perf_counter()
        try:
            model = refit(
                job.kind,
                job.config,
                seat.fold.training,
                epochs=job.epochs,
                seed=job.seed,
                device=self._device,
                precision=test.experiment.resources.precision,
                task=self._task,
            )
        except Diverged as reason:
            raise WorkFailed(
                f"{job.family}, seed {job.seed}: the refit diverged: {reason}"
            ) from None
        fit_seconds = time.perf_counter() - started
        return Scored(
            job=job,
            outcomes=seat.scorer.outcomes(model),
            lists=seat.lists.lists(model) if seat.lists else None,
            fit_seconds=fit_seconds,
        )


def score_all(
    jobs: Sequence[Job],
    test: Test,
    *,
    workers: int,
    environment: Mapping[str, str],
    on_end: Callable[[RefitEnded], None] = lambda ended: None,
) -> list[Scored]:
    """Run every job, the longest first, in `workers` processes (one: in this process).

    Args:
        jobs: in any order; results come in the same order.
        test: what they share.
        workers: processes.
        environment: variables that a worker process starts with.
        on_end: told of every job that ends.

    Raises:
        WorkFailed: a refit diverged, or a process was killed.
    """
    progress = _Progress(jobs, on_end)
    order = sorted(range(len(jobs)), key=lambda n: -jobs[n].work)
    results: dict[int, Scored] = {}
    if workers == 1:
        with threads(test.experiment.resources):
            bench = Bench(test, device_of(test.experiment.resources, 0))
            for n in order:
                results[n] = bench.score(jobs[n])
                progress.ended(jobs[n])
        return [results[n] for n in range(len(jobs))]
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    with environment_variables(environment):
        pool = ProcessPoolExecutor(
            workers, context, initializer=_begin, initargs=(test, context.Value("i", 0))
        )
        try:
            futures: dict[Future[Scored], int] = {pool.submit(_score, jobs[n]): n for n in order}
            for future in as_completed(futures):
                results[futures[future]] = future.result()
                progress.ended(jobs[futures[future]])
        except BrokenProcessPool:
            raise WorkFailed(
                "a process of the confirmation was killed, most likely for lack of memory; "
                "set resources.workers lower and run the command again"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)
    return [results[n] for n in range(len(jobs))]


class _Progress:
    def __init__(self, jobs: Sequence[Job], on_end: Callable[[RefitEnded], None]) -> None:
        self._on_end, self._total = on_end, len(jobs)
        self._all = sum(job.work for job in jobs)
        self._left, self._done = self._all, 0
        self._began = time.monotonic()

    def ended(self, job: Job) -> None:
        self._done += 1
        self._left = max(0.0, self._left - job.work)
        elapsed = time.monotonic() - self._began
        left = elapsed * self._left / max(self._all - self._left, 1e-9)
        self._on_end(RefitEnded(job, self._done, self._total, left))


_bench: Bench | None = None
"""Of a worker process; set once by `_begin`."""


def _begin(test: Test, counter: Any) -> None:
    global _bench  # noqa: PLW0603  # a pool's initialiser has no other way to leave something
    with counter.get_lock():
        number = counter.value
        counter.value += 1
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a traceback
    torch.set_num_threads(test.experiment.resources.threads)
    _bench = Bench(test, device_of(test.experiment.resources, number))


def _score(job: Job) -> Scored:
    assert _bench is not None
    return _bench.score(job)
