"""Histories laid out on a device, and what comes after a learner's last event."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from recsweep.data.types import Int32, Int64, Sequences
from recsweep.models.protocol import Histories

BLOCK_PLACES = 1 << 16
"""At most so many history places are encoded at once."""


class HistoryTable:
    """Sequences, laid out once on one device, from which batches of histories are taken."""

    def __init__(self, sequences: Sequences, device: torch.device) -> None:
        self._device, self._offsets = device, sequences.offsets

        def put(array: np.ndarray, dtype: torch.dtype) -> Tensor:
            # A place that no row reaches still has to be somewhere.
            padded = np.pad(array, ((0, 1), *((0, 0),) * (array.ndim - 1)))
            return torch.from_numpy(padded).to(device, dtype)

        self._items = put(sequences.item, torch.int64)
        self._kinds = put(sequences.kind, torch.int64)
        self._time = put(sequences.time, torch.int64)
        self._item_features, self._event_features = (
            None if features is None else put(features, torch.float32)
            for features in (sequences.item_features, sequences.event_features)
        )
        self._user_features = torch.from_numpy(sequences.features).to(device)

    def histories(
        self, sequences: Int64, row: Int64, length: Int32 | Int64, width: int | None = None
    ) -> Histories:
        """Those of some sequences, asked at (n_queries,) places of these rows; `width` places wide,
        or as many as the longest needs.
        """
        longest = int(length.max(initial=0)) if width is None else width
        places = self._offsets[sequences][:, None] + np.arange(longest)
        index = np.minimum(places, len(self._items) - 1)
        grid = torch.from_numpy(index).to(self._device)
        features, of_events = self._item_features, self._event_features
        return Histories(
            items=self._items[grid],
            user_features=self._user_features[torch.from_numpy(sequences).to(self._device)],
            row=torch.from_numpy(row).to(self._device),
            length=torch.from_numpy(length).to(self._device, torch.int64),
            event_features=None if of_events is None else of_events[grid],
            time=self._time[grid],
            kinds=self._kinds[grid],
            item_features=None if features is None else features[grid],
        )


def whole_histories(
    sequences: Sequences, device: torch.device
) -> Iterator[tuple[Int64, Histories]]:
    """Every history once, those of similar length together, asked after its last event.

    Yields:
        The positions of some histories, and one query for each of them, in that order. Which stand
        together depends on their lengths alone, so the same histories give the same bits.

    Args:
        sequences: each with an event.
        device: of the model.
    """
    table = HistoryTable(sequences, device)
    length = np.diff(sequences.offsets)
    order = np.argsort(length, kind="stable")
    first = 0
    while first < len(order):
        grid = np.arange(1, len(order) - first + 1) * length[order[first:]]
        last = first + max(1, int(np.searchsorted(grid, BLOCK_PLACES, side="right")))
        rows = order[first:last]
        yield rows, table.histories(rows, np.arange(len(rows)), length[rows])
        first = last


def even_blocks(lengths: Int64, rows: int) -> Iterator[tuple[Int64, int]]:
    """Every history once, in blocks whose shape depends on nothing but the width.

    A product of matrices rounds by its shape. With blocks of one shape a history's answer is the
    same bit for bit, whoever is asked beside it.

    Yields:
        Positions of at most `rows` histories, and the width of their grid: the power of two that
        their own lengths need. To be filled up by `filled`.
    """
    widths = 1 << np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64)
    for width in np.unique(widths).tolist():
        here, size = np.flatnonzero(widths == width), rows_of_width(width, rows)
        for first in range(0, len(here), size):
            yield here[first : first + size], width


def rows_of_width(width: int, rows: int) -> int:
    """How many histories a block of this width holds."""
    return max(1, min(rows, BLOCK_PLACES // width))


def filled(positions: Int64, size: int) -> Int64:
    """(size,) the positions, the first of them repeated where there are too few."""
    return np.concatenate((positions, np.full(size - len(positions), positions[0])))
