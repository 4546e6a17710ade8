"""`next_item`: which course comes next? The whole catalogue is ranked."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from recsweep.config.schema import Metric
from recsweep.data.batches import cut_windows, windows_in_batch
from recsweep.data.types import UNKNOWN, Float64, Targets, Training
from recsweep.evaluation.metrics import FUNCTIONS
from recsweep.evaluation.propensity import inverse_propensity
from recsweep.models.protocol import Recommender
from recsweep.tasks.next_item.answers import answers
from recsweep.tasks.next_item.categories import categories_of
from recsweep.tasks.next_item.folds import targets_of, training_of
from recsweep.tasks.next_item.lists import CatalogueLists
from recsweep.tasks.next_item.ranking import Ranker
from recsweep.tasks.task import Outcomes, Task


class Ranks:
    """Ranks as int32; one that does not fit, MISS above all, is the largest."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        self._ranker = Ranker(targets, n_items, device)

    def outcomes(self, model: Recommender) -> Outcomes:
        """(n_targets,) from 1."""
        ranks = self._ranker.ranks(model)
        return np.minimum(ranks, np.iinfo(np.int32).max).astype(np.int32)


def _target_values(ranks: Outcomes, targets: Targets, metric: Metric) -> dict[str, Float64]:
    return {
        f"{name}@{k}": function(ranks.astype(np.int64), k)
        for name, function in FUNCTIONS.items()
        for k in metric.report_k
    }


def _weight(targets: Targets, training: Training) -> Float64:
    """By popularity; courses that training doesn't know have none."""
    counts = np.bincount(training.sequences.item, minlength=training.n_items)
    of_item = np.append(inverse_propensity(counts.astype(np.float64)), 0.0)
    found: Float64 = of_item[np.where(targets.item == UNKNOWN, len(counts), targets.item)]
    return found


def _steps(config: Mapping[str, Any], training: Training) -> int | None:
    window, batch_size = config.get("window"), config.get("batch_size")
    if window is None or batch_size is None:
        return None
    windows = cut_windows(training, int(window))
    unit = config.get("batch_unit", "windows")
    return math.ceil(len(windows.length) / windows_in_batch(windows, int(batch_size), unit))


TASK: Task[Recommender] = Task(
    name="next_item",
    training=training_of,
    targets=targets_of,
    scorer=Ranks,
    target_values=_target_values,
    steps=_steps,
    lists=CatalogueLists,
    weight=_weight,
    categories=categories_of,
    answers=answers,
)
