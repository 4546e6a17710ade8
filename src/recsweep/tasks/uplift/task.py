"""`uplift`: what difference does a treatment make to buying? A difference of probabilities."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch

from recsweep.data.simulator.truth import true_effects
from recsweep.data.types import UNKNOWN, Targets, Training
from recsweep.evaluation.probability import linearised_by_learner
from recsweep.models.cases import examples_of, labels_of
from recsweep.models.uplift import UpliftBook, UpliftModel, treatments_of
from recsweep.tasks.task import CardWords, Outcomes, Task
from recsweep.tasks.truth import score_of_truth
from recsweep.tasks.uplift.answers import answers, row_answers
from recsweep.tasks.uplift.details import details_of
from recsweep.tasks.uplift.folds import targets_of, training_of
from recsweep.tasks.uplift.scores import target_values


class Differences:
    """Differences as the model gives them."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        self._book = UpliftBook(targets, n_items, device)

    def outcomes(self, model: UpliftModel) -> Outcomes:
        """(n_targets,) float64."""
        return model.uplift(self._book)


def _steps(config: Mapping[str, Any], training: Training) -> int | None:
    if config.get("batch_size") is None:
        return None
    batch, learners = int(config["batch_size"]), [len(training.sequences)]
    if config["meta_learner"] == "t":
        examples = examples_of(training)
        treated = treatments_of(labels_of(examples)).treated
        learners = [len(np.unique(examples.sequence[of])) for of in (treated, ~treated)]
    return sum(-(-n // batch) for n in learners)


TASK: Task[UpliftModel] = Task(
    name="uplift",
    training=training_of,
    targets=targets_of,
    scorer=Differences,
    target_values=target_values,
    steps=_steps,
    per_learner=linearised_by_learner,
    # A difference can be asked of any course, one that no table knows included.
    cold=lambda targets, n_known: targets.item == UNKNOWN,
    details=details_of,
    best_possible=partial(score_of_truth, true_effects, target_values),
    answers=answers,
    row_answers=row_answers,
    answer="uplift",
    card=CardWords(
        intended="to say how much the study's treatment raises the probability of the outcome, and "
        "so whom to treat first.",
        figures="on who was treated and who was not in the study's data. Another treatment, "
        "another time or other people can differ: keep some untreated at random, and compare.",
    ),
)
