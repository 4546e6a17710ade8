"""`purchase`: is a course bought after this look at it? A probability, not a rank."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from recsweep.data.simulator.truth import true_probabilities
from recsweep.data.types import UNKNOWN, Targets, Training
from recsweep.evaluation.probability import linearised_by_learner
from recsweep.models.cases import CaseBook
from recsweep.models.protocol import Classifier
from recsweep.tasks.purchase.answers import answers, row_answers
from recsweep.tasks.purchase.details import details_of
from recsweep.tasks.purchase.folds import targets_of, training_of
from recsweep.tasks.purchase.scores import calibrator_of, pooled, target_values
from recsweep.tasks.task import CardWords, Outcomes, Task
from recsweep.tasks.truth import score_of_truth


class Probabilities:
    """Probabilities as the model gives them, before any calibrator."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        self._book = CaseBook(targets, n_items, device)

    def outcomes(self, model: Classifier) -> Outcomes:
        """(n_targets,) float64."""
        return model.probability(self._book)


def _steps(config: Mapping[str, Any], training: Training) -> int | None:
    batch_size = config.get("batch_size")
    return None if batch_size is None else -(-len(training.sequences) // int(batch_size))


TASK: Task[Classifier] = Task(
    name="purchase",
    training=training_of,
    targets=targets_of,
    scorer=Probabilities,
    target_values=target_values,
    steps=_steps,
    pooled=pooled,
    per_learner=linearised_by_learner,
    # A probability can be asked of any course, one that no table knows included.
    cold=lambda targets, n_known: targets.item == UNKNOWN,
    details=details_of,
    best_possible=partial(score_of_truth, true_probabilities, target_values),
    answers=answers,
    row_answers=row_answers,
    calibrator=calibrator_of,
    answer="probability",
    card=CardWords(
        "to say how likely a look at a course ends in buying it, on the platform that the log is "
        "of."
    ),
)
