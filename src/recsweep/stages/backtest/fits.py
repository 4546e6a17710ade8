"""Fitting a configuration on all data before a step, and asking it of that step or later ones."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from recsweep.config.schema import Experiment
from recsweep.config.values import RecordedConfiguration
from recsweep.data.types import Dataset, Float64, Int32, Int64, Training
from recsweep.errors import BadInput, WorkFailed
from recsweep.stages.backtest.steps import Window
from recsweep.stages.machine import worker_count
from recsweep.stages.pool import side_by_side
from recsweep.tasks.folds import make_fold
from recsweep.tasks.registry import TASKS
from recsweep.training.refit import refit
from recsweep.training.trial import Diverged


@dataclass(frozen=True, slots=True)
class Ground:
    """What all fits of a backtest share."""

    dataset: Dataset  # with the sealed test's events
    experiment: Experiment  # of the family alone
    kind: str  # its name in the registry
    windows: tuple[Window, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """One configuration, fitted once a seed."""

    step: int  # on all before its start
    config: RecordedConfiguration
    epochs: int
    asked: tuple[int, ...]  # steps

    @property
    def work(self) -> float:
        """Only proportions matter."""
        return float(self.epochs + len(self.asked))


@dataclass(frozen=True, slots=True)
class Answered:
    """The study's metric on one step's targets, one row each."""

    user: Int32  # (n_targets,) the unit that a target is of
    time: Int64  # (n_targets,)
    values: Float64  # (n_seeds, n_targets)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What one fit reached."""

    fit: Fit
    answers: Mapping[int, Answered]  # by step; without those in which nothing could be asked
    reason: str | None  # why not, of the first of those
    seconds: float  # of training, mean over seeds


OnFit = Callable[[Fit, int, int, float], None]
"""Told of a fit that ended, how many have, of how many, and of the seconds left."""


def fit_all(fits: Sequence[Fit], ground: Ground, on_end: OnFit) -> list[Fitted]:
    """Run every fit; see `side_by_side`."""
    resources = ground.experiment.resources
    return side_by_side(
        fits,
        partial(_begin, ground),
        resources,
        workers=worker_count(resources, len(fits)),
        verb="backtest",
        on_end=on_end,
    )


def _begin(ground: Ground, device: torch.device) -> Callable[[Fit], Fitted]:
    return partial(_fit, ground, device)


def _fit(ground: Ground, device: torch.device, fit: Fit) -> Fitted:
    experiment, dataset = ground.experiment, ground.dataset
    task, metric, until = TASKS[experiment.task], experiment.metric, ground.windows[fit.step][0]
    models: list[Any] = []
    answers: dict[int, Answered] = {}
    reason, seconds = None, 0.0
    for step in fit.asked:
        name, window = f"step {step + 1}", ground.windows[step]
        try:
            fold = make_fold(name, dataset.development, window, dataset, experiment, until)
        except BadInput as error:
            reason = reason or str(error)
            continue
        if not models:  # what is learned from is the same for every window
            began = time.perf_counter()
            models = [_trained(fit, ground, fold.training, seed, device) for seed in ground.seeds]
            seconds = (time.perf_counter() - began) / len(models)
        targets = fold.validation
        scorer = task.scorer(targets, fold.n_items, device)
        values = [
            task.target_values(scorer.outcomes(model), targets, metric)[metric.key]
            for model in models
        ]
        user = targets.histories.user[targets.sequence]
        answers[step] = Answered(user, targets.time, np.stack(values))
    return Fitted(fit, answers, reason, seconds)


def _trained(fit: Fit, ground: Ground, training: Training, seed: int, device: torch.device) -> Any:
    experiment = ground.experiment
    try:
        return refit(
            ground.kind,
            fit.config,
            training,
            epochs=fit.epochs,
            seed=seed,
            device=device,
            precision=experiment.resources.precision,
            task=TASKS[experiment.task],
        )
    except Diverged as reason:
        where = f"step {fit.step + 1}, seed {seed}"
        raise WorkFailed(f"{where}: the refit diverged: {reason}") from None
