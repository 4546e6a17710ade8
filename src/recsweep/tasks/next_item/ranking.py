"""Ranks of targets in the whole catalogue, in blocks, without a sort and without sampling.

A target's rank is 1 + the number of other candidates that do not score strictly below it: ties,
and scores that are not numbers, count against the model.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recsweep.data.arrays import changes
from recsweep.data.types import UNKNOWN, Int32, Int64, Targets
from recsweep.evaluation.metrics import MISS
from recsweep.models.protocol import Histories, Recommender

BLOCK_SCORES = 1 << 24
"""At most so many scores are held at once: 64 MiB in float32."""
COUNTED = 64
"""Targets whose comparisons are counted at once: they stay in the cache."""
BLOCK_PLACES = 1 << 16
"""At most so many history places are encoded at once."""


@dataclass(frozen=True, slots=True)
class Block:
    """Queries that are scored at once, and the targets that they are for."""

    histories: Histories
    target: Tensor  # (n_targets,) int64 item, known ones only
    query: Tensor  # (n_targets,) int64 into the block's queries
    at: Int64  # (n_targets,) positions among all targets


class Ranker:
    """Ranks one fold's targets, laid out once on one device and asked after every epoch."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        self.n_targets, self.drop_seen = len(targets), targets.drop_seen
        self._blocks = tuple(_blocks(targets, n_items, device))

    @torch.inference_mode()
    def ranks(self, model: Recommender) -> Int64:
        """(n_targets,) rank of each target from 1, MISS where training does not know the item."""
        ranks = np.full(self.n_targets, MISS, np.int64)
        for block, scores in self.scores(model):
            ranks[block.at] = _rank(scores, block.query, block.target).cpu().numpy()
        return ranks

    def scores(self, model: Recommender) -> Iterator[tuple[Block, Tensor]]:
        """Each block with its (n_queries, n_items) scores, -inf where an item is no candidate."""
        for block in self._blocks:
            scores = model.score(block.histories)
            if self.drop_seen:
                drop_seen(scores, block.histories)
            yield block, scores


def drop_seen(scores: Tensor, histories: Histories) -> None:
    """Take the items of each query's history out of its candidates, in place."""
    items = histories.items[histories.row]
    places = torch.arange(items.shape[1], device=items.device)
    # Past the history's end the first item stands in: it is out in any case.
    seen = torch.where(places < histories.length[:, None], items, items[:, :1])
    scores.scatter_(1, seen, -torch.inf)


def _rank(scores: Tensor, query: Tensor, target: Tensor) -> Tensor:
    """All courses but those below: what is no number is not below, and so counts against."""
    own = scores[query, target]
    below = torch.empty(len(query), dtype=torch.int32, device=scores.device)
    for at in torch.split(torch.arange(len(query), device=scores.device), COUNTED):
        rows = scores.index_select(0, query[at])
        # Bytes are counted several times faster than booleans.
        below[at] = (rows < own[at, None]).view(torch.uint8).sum(1, dtype=torch.int32)
    return scores.shape[1] - below


def _blocks(targets: Targets, n_items: int, device: torch.device) -> Iterator[Block]:
    """Histories of similar length together; queries are bounded so that the scores fit."""
    known = np.flatnonzero(targets.item != UNKNOWN)
    if len(known) == 0:
        return
    sequence, length = targets.sequence[known], targets.length[known]
    order = np.lexsort((length, sequence, _longest(sequence, length)))
    known, sequence, length = known[order], sequence[order], length[order]
    offsets, items = targets.histories.offsets, targets.histories.item
    of_events = targets.histories.event_features
    first = 0
    max_targets = max(1, BLOCK_SCORES // max(1, n_items))
    while first < len(known):
        last = _end(sequence, length, first, max_targets)
        s, n = sequence[first:last], length[first:last]
        rows, row_of_target = np.unique(s, return_inverse=True)
        new = changes(s) | changes(n)
        query = np.cumsum(new) - 1
        places = np.arange(int(n.max()))
        index = np.minimum(offsets[rows][:, None] + places, len(items) - 1)
        yield Block(
            histories=Histories(
                items=torch.from_numpy(items[index]).to(device, torch.int64),
                time=torch.from_numpy(targets.histories.time[index]).to(device),
                user_features=torch.from_numpy(targets.histories.features[rows]).to(device),
                row=torch.from_numpy(row_of_target[new]).to(device, torch.int64),
                length=torch.from_numpy(n[new]).to(device, torch.int64),
                event_features=(
                    None if of_events is None else torch.from_numpy(of_events[index]).to(device)
                ),
            ),
            target=torch.from_numpy(targets.item[known[first:last]]).to(device, torch.int64),
            query=torch.from_numpy(query).to(device),
            at=known[first:last],
        )
        first = last


def _longest(sequence: Int32, length: Int32) -> Int64:
    """The longest history of each target's sequence."""
    longest = np.zeros(int(sequence.max()) + 1, np.int64)
    np.maximum.at(longest, sequence, length)
    of_target: Int64 = longest[sequence]
    return of_target


def _end(sequence: Int32, length: Int32, first: int, max_targets: int) -> int:
    """Where the block from `first` ends: few enough targets, and a grid small enough."""
    last = min(first + max_targets, len(sequence))
    rows = np.cumsum(changes(sequence[first:last]))
    grid = rows * np.maximum.accumulate(length[first:last])
    return first + max(1, int(np.searchsorted(grid, BLOCK_PLACES, side="right")))
