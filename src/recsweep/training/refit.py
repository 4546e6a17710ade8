"""Training a selected configuration once more, on one training period, without looking at scores.

How long: the number of epochs that the folds chose. Epochs and not optimiser steps, because an
epoch is the unit that every report, rule and stop of the search counted in: on more data an epoch
has more steps, and each training event is still seen as often as the folds found best. Keeping the
steps instead would show each event of a longer period less often. `optimizer_steps` says how far
the two readings are apart.
"""

import math
from collections.abc import Callable
from typing import Any

import torch

from recsweep.config.values import RecordedConfiguration
from recsweep.data.types import Training
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.tasks.task import Task
from recsweep.training.trial import Diverged, fold_seed


def refit(
    kind: str,
    config: RecordedConfiguration,
    training: Training,
    *,
    epochs: int,
    seed: int,
    device: torch.device,
    precision: str = "fp32",
    task: Task[Any],
    fold: int = 0,
    on_epoch: Callable[[int, int], None] = lambda epoch, epochs: None,
) -> Any:
    """Train as a trial trains its first fold, or the one that is named, on `training` and for
    `epochs` epochs.

    `on_epoch` is told of every epoch that ends, and of how many there will be.

    Returns:
        A model of the task.

    Raises:
        Diverged: a training loss is infinite or not a number.
    """
    entry = families_of(task.name)[kind]
    model = entry.model(config, Context(training, fold_seed(seed, fold), device, precision))
    last = min(epochs, entry.epochs or epochs)
    for epoch in range(1, last + 1):
        loss = model.fit_epoch()
        if loss is not None and not math.isfinite(loss):
            raise Diverged(f"the training loss is {loss} in epoch {epoch}")
        on_epoch(epoch, last)
    return model


def optimizer_steps(
    config: RecordedConfiguration, training: Training, epochs: int, task: Task[Any]
) -> int | None:
    """Optimiser steps in `epochs` epochs; None for a family that isn't trained by gradient."""
    steps = task.steps(config, training)
    return None if steps is None else epochs * steps
