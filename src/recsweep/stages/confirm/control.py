"""The shuffled-history control: does a model gain anything from the order of a history?

The same weights score the same targets twice: after the history as it happened, and after the same
events in random order. What is lost is what the order was worth to the model.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recsweep.data.arrays import ranges
from recsweep.data.types import Int64, Sequences, Targets

TARGETS_PER_USER = 8
"""Each target needs a shuffled history of its own, so a user's cost grows with the square of the
history's length; a user with more targets is represented by so many, drawn at random."""

CHUNK_PLACES = 1 << 22
"""At most so many places of shuffled histories are laid out at once."""


def control_targets(targets: Targets, seed: int) -> Int64:
    """Positions of the targets that the control scores, in their order."""
    random = np.random.default_rng(seed)
    draw = random.random(len(targets))
    order = np.lexsort((draw, targets.sequence))
    counts = np.bincount(targets.sequence, minlength=len(targets.histories))
    place = np.arange(len(targets)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(order[place < TARGETS_PER_USER])


def shuffled(targets: Targets, positions: Int64, seed: int) -> Iterator[tuple[Int64, Targets]]:
    """The targets at `positions` in chunks, each after a history of its own in random order."""
    random = np.random.default_rng(seed)
    length = targets.length[positions].astype(np.int64)
    chunk = np.cumsum(length) // CHUNK_PLACES
    for number in np.unique(chunk):
        of_chunk = chunk == number
        yield positions[of_chunk], _shuffled(targets, positions[of_chunk], random)


def _shuffled(targets: Targets, positions: Int64, random: np.random.Generator) -> Targets:
    histories, sequence = targets.histories, targets.sequence[positions]
    length = targets.length[positions].astype(np.int64)
    owner = np.repeat(np.arange(len(positions)), length)
    rows = ranges(histories.offsets[sequence], length)
    in_time = rows
    rows = rows[np.lexsort((random.random(len(rows)), owner))]
    return replace(
        targets.at(positions),
        histories=Sequences(
            user=histories.user[sequence],
            offsets=np.concatenate(([0], np.cumsum(length))).astype(np.int64),
            item=histories.item[rows],
            time=histories.time[in_time],  # the moments stay, what happened at them is shuffled
            kind=histories.kind[rows],
            features=histories.features[sequence],
            item_features=None
            if histories.item_features is None
            else histories.item_features[rows],
            event_features=None
            if histories.event_features is None
            else histories.event_features[rows],
        ),
        sequence=np.arange(len(positions), dtype=np.int32),
    )
