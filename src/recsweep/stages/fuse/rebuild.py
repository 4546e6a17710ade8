"""The trials that an ensemble may be made of, trained again on the folds as they were."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.data.types import Fold, Targets
from recsweep.errors import WorkFailed
from recsweep.models.families.ensemble import VOTES
from recsweep.records.study import Study
from recsweep.stages.fuse.votes import Recorded
from recsweep.tasks.registry import TASKS
from recsweep.training.refit import refit
from recsweep.training.trial import Diverged

Metrics = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A complete trial, up to its best epoch."""

    family: str  # its name in the study
    kind: str
    trial: str
    config: Configuration
    seed: int
    epochs: int
    value: float  # on the folds, as recorded
    metrics: Metrics  # as recorded
    work: float  # seconds that it took


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A candidate's models, one a fold."""

    candidate: Candidate
    metrics: Metrics
    votes: tuple[list[np.ndarray[Any, Any]], ...]  # on the sampled targets
    states: tuple[dict[str, Tensor], ...]
    fit_seconds: float  # of all folds
    score_seconds: float

    @property
    def model_bytes(self) -> int:
        """Of its state on the last fold, which has the most to learn from."""
        return sum(value.nbytes for value in self.states[-1].values())

    @property
    def as_recorded(self) -> bool:
        """Is every figure the record's, bit for bit?"""
        return self.metrics == self.candidate.metrics


def candidates_of(study: Study, families: Sequence[str], count: int) -> list[Candidate]:
    """The `count` best complete trials of each family, the best of all first."""
    found, goodness = [], study.experiment.metric.goodness
    for family in families:
        complete = [t for t in study.trials_of(family) if t.state == "complete" and t.best]
        own = []
        for trial in complete:
            assert trial.best is not None
            best = trial.best
            own.append(
                Candidate(
                    family=family,
                    kind=study.spaces[family].family,
                    trial=trial.id,
                    config=trial.config,
                    seed=trial.seed,
                    epochs=best.epoch,
                    value=best.value,
                    metrics=best.metrics,
                    work=trial.fit_seconds * best.epoch / len(trial.epochs)
                    + 3 * trial.evaluate_seconds / len(trial.epochs)
                    + 1e-3,
                )
            )
        found += sorted(own, key=lambda each: -goodness(each.value))[:count]
    return sorted(found, key=lambda each: -goodness(each.value))


def rebuilder(
    folds: Sequence[Fold],
    samples: Sequence[Targets],
    experiment: Experiment,
    device: torch.device,
) -> Callable[[Candidate], Rebuilt]:
    """What trains one candidate after another on the folds.

    Args:
        folds: with the columns that candidates use.
        samples: of each fold's targets, those whose votes are kept.
        experiment: of the study.
        device: to train on.
    """
    task, vote = TASKS[experiment.task], VOTES[experiment.task]
    scorers = [task.scorer(fold.validation, fold.n_items, device) for fold in folds]
    sampled = [
        task.scorer(targets, fold.n_items, device)
        for fold, targets in zip(folds, samples, strict=True)
    ]

    def rebuild(candidate: Candidate) -> Rebuilt:
        found, votes, states, fitting, scoring = [], [], [], 0.0, 0.0
        for n, fold in enumerate(folds):
            began = time.perf_counter()
            try:
                model = refit(
                    candidate.kind,
                    candidate.config,
                    fold.training,
                    epochs=candidate.epochs,
                    seed=candidate.seed,
                    fold=n,
                    device=device,
                    precision=experiment.resources.precision,
                    task=task,
                )
            except Diverged as reason:
                raise WorkFailed(f"{candidate.trial}: training diverged: {reason}") from None
            fitted = time.perf_counter()
            outcomes = scorers[n].outcomes(model)
            fitting, scoring = fitting + fitted - began, scoring + time.perf_counter() - fitted
            found.append(task.summarise(outcomes, fold.validation, experiment.metric)[0])
            recorded = Recorded(model, vote)
            sampled[n].outcomes(recorded)
            votes.append(recorded.votes)
            states.append({name: value.cpu() for name, value in model.state().items()})
        metrics = {key: tuple(means[key] for means in found) for key in found[0]}
        return Rebuilt(candidate, metrics, tuple(votes), tuple(states), fitting, scoring)

    return rebuild
