"""The seam between the tasks. Trials, refits, confirmation and reproduction ask a `Task`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch
from numpy.typing import NDArray

from recsweep.config.schema import Metric
from recsweep.data.types import Float64, Int32, Targets, Training

M = TypeVar("M")
M_contra = TypeVar("M_contra", contravariant=True)

Outcomes = NDArray[Any]
"""(n_targets,) all that is kept of a model's answers: ranks, or probabilities."""


class Scorer(Protocol[M_contra]):
    """One fold's targets, laid out once on one device and asked after every epoch."""

    def outcomes(self, model: M_contra) -> Outcomes:
        """(n_targets,)."""
        ...


@dataclass(frozen=True, slots=True)
class Task(Generic[M]):
    """One kind of question. Which examples there are, `data/folds.py` decides."""

    name: str
    scorer: Callable[[Targets, int, torch.device], Scorer[M]]  # targets, n_items, device
    target_values: Callable[[Outcomes, Targets, Metric], dict[str, Float64]]
    """(n_targets,) of each metric that is a mean over targets; the study's is among them."""
    pooled: Callable[[Outcomes, Targets, Metric], dict[str, float]]
    """Metrics of all targets together, which no single target has a value of."""
    per_learner: Callable[[Float64, Int32], Float64]
    """(n_learners,) from (n_targets,) values and their learners 0, 1, …; its mean is the metric."""
    steps: Callable[[Mapping[str, Any], Training], int | None]
    """Optimiser steps of an epoch; None: not trained by gradient."""
    makes_lists: bool  # are the catalogue's first k courses what a learner gets to see?

    def summarise(
        self, outcomes: Outcomes, targets: Targets, metric: Metric
    ) -> tuple[dict[str, float], Float64]:
        """Every reported metric of a fold, and the study's own for each learner."""
        values = self.target_values(outcomes, targets, metric)
        learners = {key: self.per_learner(v, targets.sequence) for key, v in values.items()}
        means = {key: float(v.mean()) for key, v in learners.items()}
        return {**means, **self.pooled(outcomes, targets, metric)}, learners[metric.key]

    def learner_metrics(
        self, runs: Sequence[Outcomes], targets: Targets, metric: Metric
    ) -> dict[str, list[Float64]]:
        """Metric -> (n_learners,) of each run, for metrics that are means over learners."""
        found = [self.target_values(outcomes, targets, metric) for outcomes in runs]
        return {
            key: [self.per_learner(values[key], targets.sequence) for values in found]
            for key in found[0]
        }
