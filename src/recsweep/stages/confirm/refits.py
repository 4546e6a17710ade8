"""Refitting selected configurations side by side, each scored once on one fold."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from recsweep.config.schema import Experiment
from recsweep.config.values import RecordedConfiguration
from recsweep.data.features.choose import with_features
from recsweep.data.types import Fold
from recsweep.errors import WorkFailed
from recsweep.evaluation.learner_groups import LearnerGroups
from recsweep.stages.pool import side_by_side
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import ListMaker, Lists, Outcomes, Scorer, Task
from recsweep.training.refit import refit
from recsweep.training.trial import Diverged


@dataclass(frozen=True, slots=True)
class Job:
    """One refit of one family."""

    family: str  # its name in the study
    kind: str  # its name in the registry
    config: RecordedConfiguration
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
    score_seconds: float  # of all targets
    model_bytes: int  # of its state


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
    groups: Mapping[str, LearnerGroups] = field(default_factory=dict)  # column -> of its learners

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
        fitted = time.perf_counter()
        outcomes = seat.scorer.outcomes(model)
        scored = time.perf_counter()
        return Scored(
            job=job,
            outcomes=outcomes,
            lists=seat.lists.lists(model) if seat.lists else None,
            fit_seconds=fitted - started,
            score_seconds=scored - fitted,
            model_bytes=sum(value.nbytes for value in model.state().values()),
        )


def score_all(
    jobs: Sequence[Job],
    test: Test,
    *,
    workers: int,
    on_end: Callable[[RefitEnded], None] = lambda ended: None,
) -> list[Scored]:
    """Run every job; see `side_by_side`."""
    return side_by_side(
        jobs,
        partial(_bench, test),
        test.experiment.resources,
        workers=workers,
        verb="confirm",
        on_end=lambda *told: on_end(RefitEnded(*told)),
    )


def _bench(test: Test, device: torch.device) -> Callable[[Job], Scored]:
    return Bench(test, device).score
