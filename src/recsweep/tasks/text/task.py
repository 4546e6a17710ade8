"""`text`: which label does a text bear? A probability of each."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recsweep.data.types import Targets, Training
from recsweep.evaluation.probability import linearised_by_learner
from recsweep.models.text.texts import TextClassifier, labelled
from recsweep.tasks.task import CardWords, Outcomes, Task
from recsweep.tasks.text.details import details_of
from recsweep.tasks.text.duplicates import asked_again
from recsweep.tasks.text.folds import targets_of, training_of
from recsweep.tasks.text.scores import pooled, target_values


class Probabilities:
    """What a model says of one fold's texts."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        self._asked = [texts := labelled(targets)]
        if texts.learned is not None:
            self._asked.append(asked_again(texts.learned))

    def outcomes(self, model: TextClassifier) -> Outcomes:
        """(n_targets, n_classes); on the sealed test, those of `asked_again` follow."""
        return np.concatenate([model.probabilities(texts) for texts in self._asked])


def _steps(config: Mapping[str, Any], training: Training) -> int | None:
    batch_size, examples = config.get("batch_size"), training.examples
    assert examples is not None
    return None if batch_size is None else -(-len(examples) // int(batch_size))


TASK: Task[TextClassifier] = Task(
    name="text",
    training=training_of,
    targets=targets_of,
    scorer=Probabilities,
    target_values=target_values,
    steps=_steps,
    pooled=pooled,
    per_learner=linearised_by_learner,
    details=details_of,
    labels_texts=True,
    card=CardWords(
        intended="to label texts like those that it was fitted on, in the same language.",
        figures="on texts whose labels somebody gave. Texts of another source or time can differ: "
        "label some of those and compare.",
    ),
)
