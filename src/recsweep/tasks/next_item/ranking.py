"""Ranks of targets in the whole catalogue, in blocks, without a sort and without sampling.

A target's rank is 1 + the number of other candidates that do not score strictly below it: ties,
and scores that are not numbers, count against the model. What the learner took at the target's own
instant is no wrong answer to it, unless the experiment says `same_instant: compete`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recsweep.data.arrays import changes
from recsweep.data.types import UNKNOWN, Int32, Int64, Targets
from recsweep.evaluation.metrics import MISS
from recsweep.models.protocol import Histories, Recommender

BLOCK_SCORES = 1 << 24
"""At most so many scores are held at once: 64 MiB in float32."""
COUNTED = 64
"""Targets whose comparisons are counted at once: they stay in the cache."""
SEEN_PLACES = 1 << 22
"""Places of histories that are looked through at once."""
BLOCK_PLACES = 1 << 16
"""At most so many history places are encoded at once."""


@dataclass(frozen=True, slots=True)
class Block:
    """Queries that are scored at once, and the targets that they are for."""

    histories: Histories
    target: Tensor  # (n_targets,) int64 item, known ones only
    query: Tensor  # (n_targets,) int64 into the block's queries
    at: Int64  # (n_targets,) positions among all targets
    instant: Tensor  # (n_targets,) int64, non-decreasing: those of one learner and instant share it
    makes_seen: Tensor | None  # (n_rows, longest) bool, of the histories' events; None: all do


class Ranker:
    """Ranks one fold's targets, laid out once on one device and asked after every epoch."""

    def __init__(self, targets: Targets, n_items: int, device: torch.device) -> None:
        self.n_targets, self.drop_seen = len(targets), targets.drop_seen
        self.same_instant_competes = targets.same_instant_competes
        self._blocks = tuple(_blocks(targets, n_items, device))

    @torch.inference_mode()
    def ranks(self, model: Recommender) -> Int64:
        """(n_targets,) rank of each target from 1, MISS where training does not know the item."""
        ranks = np.full(self.n_targets, MISS, np.int64)
        for block, scores in self.scores(model):
            rank = _rank(scores, block.query, block.target)
            if not self.same_instant_competes:
                rank -= _not_below_in_instant(scores[block.query, block.target], block.instant)
            ranks[block.at] = rank.cpu().numpy()
        return ranks

    def scores(self, model: Recommender) -> Iterator[tuple[Block, Tensor]]:
        """Each block with its (n_queries, n_items) scores, -inf where an item is no candidate."""
        for block in self._blocks:
            scores = model.score(block.histories)
            if self.drop_seen:
                drop_seen(scores, block.histories, block.makes_seen)
            yield block, scores


def drop_seen(scores: Tensor, histories: Histories, makes_seen: Tensor | None = None) -> None:
    """Take the seen items of each query's history out of its candidates, in place."""
    items, n_items = histories.items, scores.shape[1]
    (n_rows, longest) = items.shape
    place = torch.arange(longest, device=scores.device).expand(n_rows, longest)
    if makes_seen is not None:
        place = torch.where(makes_seen, place, longest)
    if longest > n_items:  # of each course, its first place is enough
        never = torch.full((n_rows, n_items), longest, device=scores.device)
        place = never.scatter_reduce(1, items, place, "amin")
        items = torch.arange(n_items, device=scores.device).expand(n_rows, n_items)
    step = max(1, SEEN_PLACES // items.shape[1])
    for first in range(0, len(scores), step):
        of = slice(first, first + step)
        row = histories.row[of]
        seen = place[row] < histories.length[of, None]
        least = torch.where(seen, -torch.inf, torch.inf).to(scores.dtype)
        scores[of].scatter_reduce_(1, items[row], least, "amin")


def _rank(scores: Tensor, query: Tensor, target: Tensor) -> Tensor:
    """All courses but those below: what is no number is not below, and so counts against."""
    own = scores[query, target]
    below = torch.empty(len(query), dtype=torch.int32, device=scores.device)
    for at in torch.split(torch.arange(len(query), device=scores.device), COUNTED):
        rows = scores.index_select(0, query[at])
        # Bytes are counted several times faster than booleans.
        below[at] = (rows < own[at, None]).view(torch.uint8).sum(1, dtype=torch.int32)
    return scores.shape[1] - below


def _not_below_in_instant(own: Tensor, instant: Tensor) -> Tensor:
    """(n_targets,) how many others of a target's instant do not score strictly below it."""
    order = own.argsort(stable=True)
    order = order[instant[order].argsort(stable=True)]
    group, value = instant[order], own[order]
    place = torch.arange(len(own), device=own.device)
    first = _since(group[1:] != group[:-1], place)
    equal = _since((group[1:] != group[:-1]) | (value[1:] != value[:-1]), place)
    below = torch.where(value.isnan(), 0, equal - first)
    size = group.bincount()
    return torch.empty_like(place).scatter_(0, order, size[group] - 1 - below)


def _since(new: Tensor, place: Tensor) -> Tensor:
    """(n,) the place of the last change so far; `new` (n - 1,) marks changes from place 1 on."""
    return torch.where(nn.functional.pad(new, (1, 0)), place, 0).cummax(0).values


def _blocks(targets: Targets, n_items: int, device: torch.device) -> Iterator[Block]:
    """Histories of similar length together; queries are bounded so that the scores fit."""
    known = np.flatnonzero(targets.item != UNKNOWN)
    if len(known) == 0:
        return
    sequence, length = targets.sequence[known], targets.length[known]
    order = np.lexsort((targets.time[known], length, sequence, _longest(sequence, length)))
    known, sequence, length = known[order], sequence[order], length[order]
    instant: Int64 = np.cumsum(changes(sequence) | changes(targets.time[known]))
    offsets, items = targets.histories.offsets, targets.histories.item
    of_events = targets.histories.event_features
    kinds = targets.seen_kinds
    seen = None if kinds is None else np.isin(targets.histories.kind, kinds)
    first = 0
    max_targets = BLOCK_SCORES // max(1, n_items)
    while first < len(known):
        last = _end(sequence, length, instant, first, max_targets)
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
            instant=torch.from_numpy(instant[first:last]).to(device),
            makes_seen=None if seen is None else torch.from_numpy(seen[index]).to(device),
        )
        first = last


def _longest(sequence: Int32, length: Int32) -> Int64:
    """The longest history of each target's sequence."""
    longest = np.zeros(int(sequence.max()) + 1, np.int64)
    np.maximum.at(longest, sequence, length)
    of_target: Int64 = longest[sequence]
    return of_target


def _end(sequence: Int32, length: Int32, instant: Int64, first: int, max_targets: int) -> int:
    """Where the block from `first` ends: few enough targets, one at least, a grid small enough,
    and no instant divided.
    """
    last = min(first + max_targets, len(sequence))
    rows = np.cumsum(changes(sequence[first:last]))
    grid = rows * np.maximum.accumulate(length[first:last])
    last = first + max(1, int(np.searchsorted(grid, BLOCK_PLACES, side="right")))
    if last == len(instant):
        return last
    whole = int(np.searchsorted(instant, instant[last]))
    if whole > first:
        return whole
    return int(np.searchsorted(instant, instant[last], side="right"))
