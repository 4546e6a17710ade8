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
from recsweep.data.types import UNKNOWN, Float32, Int64, Labels, Sequences, Targets

DAY = 86_400_000_000  # microseconds
BLOCK_PLACES = 1 << 16
"""At most so many history places are encoded at once when scoring."""


@dataclass(frozen=True, slots=True)
class Cases:
    """Some rows, and all their examples."""

    items: Tensor  # (n_rows, longest) int64; past a row's end stands anything
    kinds: Tensor  # (n_rows, longest) int64
    gaps: Tensor  # (n_rows, longest) float32, log(1 + days) since the event before
    item_features: Tensor | None  # (n_rows, longest, n_item_features), of a dated table
    event_features: Tensor | None  # (n_rows, longest, n_event_features), if any is asked for
    row: Tensor  # (n_examples,) int64
    length: Tensor  # (n_examples,) int64, events that the example may read
    candidate: Tensor  # (n_examples,) int64; n_items where training doesn't know the course
    inputs: Tensor  # (n_examples, n_inputs) float32
    bought: Tensor  # (n_examples,) float32, 0 or 1
    at: Int64  # (n_examples,) positions in the book


class CaseBook:
    """The examples of one period."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        assert targets.labels is not None  # of the task purchase
        self.targets, self.labels, self.device = targets, targets.labels, device
        histories = targets.histories
        self._counts = np.bincount(targets.sequence, minlength=len(histories))
        self._first = np.cumsum(self._counts) - self._counts
        self._longest = np.zeros(len(histories), np.int64)
        np.maximum.at(self._longest, targets.sequence, targets.length)

        def put(array: np.ndarray, dtype: torch.dtype) -> Tensor:
            return torch.from_numpy(array).to(device, dtype)

        # A place that no row reaches still has to be somewhere.
        self._items = put(np.append(histories.item, 0), torch.int64)
        self._kinds = put(np.append(histories.kind, 0), torch.int64)
        self._gaps = put(np.append(_gaps(targets), 0), torch.float32)
        self._item_features, self._event_features = (
            None if features is None else put(np.pad(features, ((0, 1), (0, 0))), torch.float32)
            for features in (histories.item_features, histories.event_features)
        )
        self._length = put(targets.length, torch.int64)
        self._candidate = put(np.where(targets.item == UNKNOWN, n_items, targets.item), torch.int64)
        self._inputs = put(self.labels.inputs, torch.float32)
        self._bought = put(self.labels.bought, torch.float32)

    def __len__(self) -> int:
        return len(self.targets)

    def epoch(self, batch_size: int, seed: int) -> Iterator[Cases]:
        """Every example once, in random batches of `batch_size` learners with similar lengths."""
        random = np.random.default_rng(seed)
        size = self._longest * random.uniform(0.9, 1.1, len(self._longest))
        order = np.argsort(size + random.random(len(size)) * 1e-3, kind="stable")
        chunks = np.split(order, np.arange(batch_size, len(order), batch_size))
        for n in random.permutation(len(chunks)):
            yield self._cases(chunks[n])

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
                last = first + max(1, (last - first) // 2)
            yield self._cases(order[first:last])
            first = last

    def _cases(self, sequences: Int64) -> Cases:
        offsets = self.targets.histories.offsets[sequences]
        longest = int(self._longest[sequences].max(initial=0))
        index = np.minimum(offsets[:, None] + np.arange(longest), len(self._items) - 1)
        grid = torch.from_numpy(index).to(self.device)
        counts = self._counts[sequences]
        at = ranges(self._first[sequences], counts)
        row = np.repeat(np.arange(len(sequences)), counts)
        chosen = torch.from_numpy(at).to(self.device)
        features, of_events = self._item_features, self._event_features
        return Cases(
            items=self._items[grid],
            kinds=self._kinds[grid],
            gaps=self._gaps[grid],
            item_features=None if features is None else features[grid],
            event_features=None if of_events is None else of_events[grid],
            row=torch.from_numpy(row).to(self.device),
            length=self._length[chosen],
            candidate=self._candidate[chosen],
            inputs=self._inputs[chosen],
            bought=self._bought[chosen],
            at=at,
        )


def whole_histories(histories: Sequences) -> Targets:
    """One example after each whole history, about no course: only a state can be read of it."""
    n = len(histories)
    length = np.diff(histories.offsets)
    nothing = np.zeros((n, 0), np.float32)
    return Targets(
        histories=histories,
        sequence=np.arange(n, dtype=np.int32),
        length=length.astype(np.int32),
        item=np.full(n, UNKNOWN, np.int32),
        time=histories.time[histories.offsets[1:] - 1],
        drop_seen=False,
        counts={},
        labels=Labels(bought=np.zeros(n, bool), inputs=nothing, columns=(), price=None),
    )


def _gaps(targets: Targets) -> Float32:
    """(n_events,) log(1 + days) since the event before in the same history; 0 at the first."""
    histories = targets.histories
    gaps = np.diff(histories.time, prepend=histories.time[:1]) / DAY
    starts = histories.offsets[:-1]
    gaps[starts[starts < len(gaps)]] = 0
    return np.log1p(np.maximum(gaps, 0)).astype(np.float32)
