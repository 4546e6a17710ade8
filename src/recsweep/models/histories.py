"""Whole histories in batches: what comes after a learner's last event?"""

from collections.abc import Iterator

import numpy as np
import torch

from recsweep.data.types import Int64, Sequences
from recsweep.models.protocol import Histories

BLOCK_PLACES = 1 << 16
"""At most so many history places are encoded at once."""


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
    offsets, items = sequences.offsets, sequences.item
    length = np.diff(offsets)
    order = np.argsort(length, kind="stable")
    first = 0
    while first < len(order):
        grid = np.arange(1, len(order) - first + 1) * length[order[first:]]
        last = first + max(1, int(np.searchsorted(grid, BLOCK_PLACES, side="right")))
        rows = order[first:last]
        places = offsets[rows][:, None] + np.arange(int(length[rows[-1]]))
        index = np.minimum(places, len(items) - 1)
        of_events = sequences.event_features
        yield (
            rows,
            Histories(
                items=torch.from_numpy(items[index]).to(device, torch.int64),
                time=torch.from_numpy(sequences.time[index]).to(device),
                user_features=torch.from_numpy(sequences.features[rows]).to(device),
                row=torch.arange(len(rows), device=device),
                length=torch.from_numpy(length[rows]).to(device),
                event_features=(
                    None if of_events is None else torch.from_numpy(of_events[index]).to(device)
                ),
            ),
        )
        first = last
