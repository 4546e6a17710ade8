"""What probabilities of labels score: one text by one, and all texts together."""

import numpy as np

from recsweep.config.schema import Metric
from recsweep.data.types import Float64, Int64, Targets
from recsweep.evaluation.probability import EPSILON, calibration_error
from recsweep.models.text.texts import labelled
from recsweep.tasks.task import Outcomes


def target_values(outcomes: Outcomes, targets: Targets, metric: Metric) -> dict[str, Float64]:
    """Metric -> (n_targets,)."""
    answer = labelled(targets).answer
    found = of_targets(outcomes, targets)
    return {"log_loss": log_losses(found, answer), "accuracy": hits(found, answer)}


def pooled(outcomes: Outcomes, targets: Targets, metric: Metric) -> dict[str, float]:
    """Metrics of all texts together. The calibration error is that of the label given (Guo et al.
    2017, eq. 3); an area is one label against the rest, the mean over those that occur.
    """
    from sklearn.metrics import f1_score, roc_auc_score

    found, texts = of_targets(outcomes, targets), labelled(targets)
    answer, given = texts.answer, found.argmax(axis=1)
    here = [n for n in range(len(texts.classes)) if 0 < (answer == n).sum() < len(answer)]
    areas = [roc_auc_score(answer == n, found[:, n]) for n in here]
    return {
        "macro_f1": float(f1_score(answer, given, average="macro", zero_division=0.0)),
        "roc_auc": float(np.mean(areas)) if areas else 0.5,
        "ece": calibration_error(found.max(axis=1), given == answer),
    }


def of_targets(outcomes: Outcomes, targets: Targets) -> Float64:
    """(n_targets, n_classes): without the rows of texts that were learned from."""
    found: Float64 = outcomes[: len(targets)]
    return found


def log_losses(probabilities: Float64, answer: Int64) -> Float64:
    """(n,) minus the log of the probability of the label that a text bears, in nats."""
    of_answer = probabilities[np.arange(len(answer)), answer]
    return np.asarray(-np.log(np.clip(of_answer, EPSILON, 1.0)))


def hits(probabilities: Float64, answer: Int64) -> Float64:
    """(n,) 1 where the most probable label is the right one."""
    return np.asarray(probabilities.argmax(axis=1) == answer, np.float64)
