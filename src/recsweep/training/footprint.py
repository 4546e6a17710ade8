"""What a model takes in use: numbers, bytes, and the time of an answer."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from recsweep.data.types import Fold, Targets
from recsweep.tasks.task import Task

ANSWERS = 100
"""That a model's p99 is taken of; a tenth as many warm it up."""


def largest(folds: Sequence[Fold]) -> Fold:
    """The fold with the most to learn from."""
    return max(folds, key=events_in)


def events_in(fold: Fold) -> int:
    """Of its training; examples where there are no histories."""
    return len(fold.training.sequences.item) or len(fold.training.examples or ())


def state_size(model: Any) -> tuple[int, int]:
    """Numbers in all that a model's answers need, and their bytes."""
    tensors = model.state().values()
    return sum(t.numel() for t in tensors), sum(t.nbytes for t in tensors)


def p99_ms(task: Task[Any], model: Any, fold: Fold, device: torch.device, seconds: float) -> float:
    """Milliseconds in which a model answers one learner, 99 times of 100.

    Learners are asked one by one, each by the whole history before a target, laid out beforehand.
    After `seconds` and eleven answers no other is asked; of few it is the slowest.
    """
    targets, taken, began = fold.validation, list[float](), time.perf_counter()
    for n in np.linspace(0, len(targets) - 1, ANSWERS + ANSWERS // 10).astype(np.int64):
        scorer = task.scorer(_alone(targets, n), fold.n_items, device)
        asked = time.perf_counter()
        scorer.outcomes(model)  # on the processor in the end, so nothing is left to wait for
        taken.append(time.perf_counter() - asked)
        if len(taken) > ANSWERS // 10 and time.perf_counter() - began > seconds:
            break
    return float(np.quantile(taken[len(taken) // 11 :], 0.99)) * 1000


def _alone(targets: Targets, n: int) -> Targets:
    one = targets.at(np.array([n]))
    history = targets.histories.at(one.sequence.astype(np.int64))
    return replace(one, histories=history, sequence=np.zeros(1, np.int32))
