"""What probabilities score: one example by one, and all examples together."""

from collections.abc import Sequence

import numpy as np

from recsweep.config.schema import Metric
from recsweep.data.types import Float64, Targets
from recsweep.evaluation.probability import (
    Calibrator,
    calibrated,
    fit_calibrator,
    log_losses,
    pooled_metrics,
    squared_errors,
)
from recsweep.models.cases import labels_of
from recsweep.tasks.task import Outcomes


def final_probability(outcomes: Outcomes, targets: Targets, metric: Metric) -> Float64:
    """(n_targets,) after the calibrator that the experiment asks for."""
    bought = labels_of(targets).bought
    return calibrated(outcomes, bought, targets.sequence, metric.calibration)


def calibrator_of(
    outcomes: Sequence[Outcomes], targets: Sequence[Targets], metric: Metric
) -> Calibrator:
    """The same of answers outside of a study, fitted on all windows together."""
    bought = np.concatenate([labels_of(asked).bought for asked in targets])
    return fit_calibrator(np.concatenate(outcomes), bought, metric.calibration)


def target_values(outcomes: Outcomes, targets: Targets, metric: Metric) -> dict[str, Float64]:
    """Metric -> (n_targets,)."""
    probability, bought = final_probability(outcomes, targets, metric), labels_of(targets).bought
    return {
        "log_loss": log_losses(probability, bought),
        "brier": squared_errors(probability, bought),
    }


def pooled(outcomes: Outcomes, targets: Targets, metric: Metric) -> dict[str, float]:
    """Metrics of all examples together."""
    labels = labels_of(targets)
    probability = final_probability(outcomes, targets, metric)
    return pooled_metrics(probability, labels.bought, targets.sequence, labels.price)
