"""`purchase`: is a course bought after this look at it? A probability, not a rank."""

from collections.abc import Mapping
from typing import Any

import torch

from recsweep.config.schema import Metric
from recsweep.data.types import Float64, Labels, Targets, Training
from recsweep.evaluation.probability import (
    calibrated,
    linearised_by_learner,
    log_losses,
    pooled_metrics,
    squared_errors,
)
from recsweep.models.purchase.cases import CaseBook
from recsweep.models.purchase.protocol import Purchaser
from recsweep.tasks.task import Outcomes, Task


class Probabilities:
    """Probabilities as the model gives them, before any calibrator."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        self._book = CaseBook(targets, n_items, device)

    def outcomes(self, model: Purchaser) -> Outcomes:
        """(n_targets,) float64."""
        return model.probability(self._book)


def labels_of(targets: Targets) -> Labels:
    """Every target of this task has a label."""
    assert targets.labels is not None
    return targets.labels


def final_probability(outcomes: Outcomes, targets: Targets, metric: Metric) -> Float64:
    """(n_targets,) after the calibrator that the experiment asks for."""
    bought = labels_of(targets).bought
    return calibrated(outcomes, bought, targets.sequence, metric.calibration)


def _target_values(outcomes: Outcomes, targets: Targets, metric: Metric) -> dict[str, Float64]:
    probability, bought = final_probability(outcomes, targets, metric), labels_of(targets).bought
    return {
        "log_loss": log_losses(probability, bought),
        "brier": squared_errors(probability, bought),
    }


def _pooled(outcomes: Outcomes, targets: Targets, metric: Metric) -> dict[str, float]:
    labels = labels_of(targets)
    probability = final_probability(outcomes, targets, metric)
    return pooled_metrics(probability, labels.bought, targets.sequence, labels.price)


def _steps(config: Mapping[str, Any], training: Training) -> int | None:
    batch_size = config.get("batch_size")
    return None if batch_size is None else -(-len(training.sequences) // int(batch_size))


PURCHASE: Task[Purchaser] = Task(
    name="purchase",
    scorer=Probabilities,
    target_values=_target_values,
    pooled=_pooled,
    per_learner=linearised_by_learner,
    steps=_steps,
    makes_lists=False,
)
