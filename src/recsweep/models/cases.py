"""Examples with their histories, laid out once on one device and handed out in batches.

A learner's history is one row; each of its examples stands at a place of that row, and the state
after so many events is what it may read. So a history is read once for all its examples.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recsweep.data.arrays import ranges
from recsweep.data.types import UNKNOWN, Float64, Int64, Labels, Targets, Training
from recsweep.models.histories import BLOCK_PLACES, HistoryTable
from recsweep.models.protocol import Histories
from recsweep.models.weights import TrainingWeights

MOST_PLACES = 1 << 16
"""Of a training batch's grid of more than one learner, if most of it would be padding."""
PADDED = 4
"""Times its events that a larger grid may have."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Some histories, and all their examples: one query each."""

    histories: Histories
    candidate: Tensor  # (n_examples,) int64; n_items where training doesn't know the course
    inputs: Tensor  # (n_examples, n_inputs) float32
    bought: Tensor  # (n_examples,) float32, 0 or 1
    at: Int64  # (n_examples,) positions in the book


class CaseBook:
    """The examples of one period."""

    def __init__(
        self, targets: Targets, n_items: int, device: torch.device, width: int | None = None
    ) -> None:
        self.targets, self.labels, self.device = targets, labels_of(targets), device
        self._width = width  # of grids; None: what the longest of a batch needs
        self._table = HistoryTable(targets.histories, device)
        self._counts = np.bincount(targets.sequence, minlength=len(targets.histories))
        self._first = np.cumsum(self._counts) - self._counts
        self._longest = np.zeros(len(targets.histories), np.int64)
        np.maximum.at(self._longest, targets.sequence, targets.length)
        candidate = np.where(targets.item == UNKNOWN, n_items, targets.item)
        self._candidate = torch.from_numpy(candidate).to(device, torch.int64)
        self._inputs = torch.from_numpy(self.labels.inputs).to(device, torch.float32)
        self._bought = torch.from_numpy(self.labels.bought).to(device, torch.float32)

    def __len__(self) -> int:
        return len(self.targets)

    def epoch(self, batch_size: int, seed: int) -> Iterator[Cases]:
        """Every example once, in random batches of `batch_size` learners with similar lengths; of
        fewer where one is so long that a large grid would be mostly padding.
        """
        random = np.random.default_rng(seed)
        size = self._longest * random.uniform(0.9, 1.1, len(self._longest))
        order = np.argsort(size + random.random(len(size)) * 1e-3, kind="stable")
        chunks = np.split(order, np.arange(batch_size, len(order), batch_size))
        for n in random.permutation(len(chunks)):
            for sequences in self._parts(chunks[n]):
                yield self._cases(sequences)

    def blocks(self) -> Iterator[Cases]:
        """Every example once, in blocks whose grid is small enough."""
        order = np.argsort(self._longest, kind="stable")
        first = 0
        while first < len(order):
            last = first + max(1, BLOCK_PLACES // (int(self._longest[order[first]]) + 1))
            while (
                last - first > 1
                and (last - first) * (int(self._longest[order[min(last, len(order)) - 1]]) + 1)
                > 2 * BLOCK_PLACES
            ):
                last = first + (last - first) // 2
            yield self._cases(order[first:last])
            first = last

    def _parts(self, sequences: Int64) -> Iterator[Int64]:
        longest, first = self._longest[sequences], 0
        if longest.max() * len(longest) <= max(MOST_PLACES, PADDED * int(longest.sum())):
            yield sequences
            return
        while first < len(sequences):
            grid = np.maximum.accumulate(longest[first:]) * np.arange(1, len(longest) - first + 1)
            last = first + max(1, int(np.searchsorted(grid, MOST_PLACES, side="right")))
            yield sequences[first:last]
            first = last

    def _cases(self, sequences: Int64) -> Cases:
        counts = self._counts[sequences]
        at = ranges(self._first[sequences], counts)
        row = np.repeat(np.arange(len(sequences)), counts)
        chosen = torch.from_numpy(at).to(self.device)
        return Cases(
            histories=self._table.histories(sequences, row, self.targets.length[at], self._width),
            candidate=self._candidate[chosen],
            inputs=self._inputs[chosen],
            bought=self._bought[chosen],
            at=at,
        )


def examples_of(training: Training) -> Targets:
    """Training's examples; every training period of a task with labels has them."""
    assert training.examples is not None
    return training.examples


def labels_of(targets: Targets) -> Labels:
    """The labels and inputs of a task's targets that have them."""
    assert isinstance(targets.labels, Labels)
    return targets.labels


def weights_of(examples: Targets, config: TrainingWeights) -> Float64 | None:
    """(n_examples,) what each weighs, by its own time and, if it is told, the type of its event;
    and, if labels say so, by itself.
    """
    weights, labels = config.weights(examples.time, examples.kind), examples.labels
    own = labels.weight if isinstance(labels, Labels) else None
    if own is None or not len(examples):
        return weights
    both = own if weights is None else own * weights
    return np.asarray(both / both.mean())
