"""`session_knn`: the courses of learners whose histories are like the one at hand.

V-SkNN (Ludewig & Jannach 2018) and STAN (Garg et al. 2019) are points of one space. A neighbour n
is a training learner's history, or its last events. With s the history at hand,

    similarity(s, n) = Σ_i w(i, s) · n_i / length · r(n)
    score(j, s) = Σ_n similarity(s, n) · c(j, s, n) · n_j, over the k most similar n

- w(i, s), of the history's courses by their latest event: p / |s| by its place p (V-SkNN), or how
  it fades by its age, as elsewhere (`fading.py`); STAN's w1 = exp(-(|s| - p) / λ1) fades by step;
- n_i is 1 where n holds i, or what the heaviest of its events weighs (`weights.py`);
- length: how many courses s holds (V-SkNN), or the product of both vectors' (the cosine of STAN);
- r(n) = 2^-(days / half-life) of its last event before the newest of all (STAN's w2, but for a
  factor that all neighbours of s share, and which therefore changes no rank);
- c(j, s, n) = γ^|steps in n between j and the course of n that came last in s| (STAN's w3).

As published, n is sought among the `sample_size` most recent that share a course with s; who is as
similar and more recent comes first. A learner who was there in training is a neighbour, too.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.config.schema import NEXT_ITEM
from recsweep.data.arrays import changes, ranges
from recsweep.data.clock import DAY
from recsweep.data.types import Float32, Float64, Int64
from recsweep.models.fading import FadingConfig
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, Histories
from recsweep.models.sparse import ENTRIES, to_state
from recsweep.models.weights import TrainingWeights

DIGITS = 12
"""Similarities that agree to so many places are equal, whatever the order of their sums."""


class SessionKnnConfig(FadingConfig, TrainingWeights):
    """Hyperparameters of `session_knn`."""

    neighbours: int = Field(ge=1)
    sample_size: int = Field(ge=1)
    neighbour_events: int = Field(ge=1)  # of a neighbour, its last so many
    similarity: Literal["dot", "cosine"] = "dot"
    query_weights: Literal["linear", "fading"] = "linear"
    neighbour_fading: Literal["none", "time"] = "none"
    neighbour_half_life_days: float | None = Field(None, gt=0)
    closeness: Literal["none", "step"] = "none"
    closeness_weight: float | None = Field(None, gt=0, le=1)  # of a step further

    @model_validator(mode="after")
    def _decays_are_complete(self) -> Self:
        if (self.neighbour_fading == "time") != (self.neighbour_half_life_days is not None):
            raise ValueError("neighbour_fading time and neighbour_half_life_days go together")
        if (self.closeness == "step") != (self.closeness_weight is not None):
            raise ValueError("closeness step and closeness_weight go together")
        if self.query_weights == "linear" and self.fading != "none":
            raise ValueError(f"fading {self.fading} needs query_weights fading")
        return self

    @property
    def reads_order(self) -> bool:
        """Can a history's order reach a score?"""
        linear = self.query_weights == "linear"
        return linear or self.fades or (self.closeness_weight or 1) != 1


class SessionKnn:
    """A `Recommender` that keeps training's histories, the most recent first."""

    def __init__(self, config: SessionKnnConfig, context: Context) -> None:
        self.config, self._context = config, context
        self._n_items = context.training.n_items
        self.neighbours = csr_matrix((0, self._n_items))
        self.position = np.zeros(0, np.int64)  # of each entry's latest event in its history
        self.recency = np.zeros(0)  # (n_neighbours,)

    def fit_epoch(self) -> None:
        """Lay the histories out; there is nothing to train."""
        config, sequences = self.config, self._context.training.sequences
        found = config.weights(sequences.time, sequences.kind)
        weight = np.ones(len(sequences.item)) if found is None else found
        at = np.flatnonzero(weight > 0)
        learner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))[at]
        _, start, count = np.unique(learner, return_index=True, return_counts=True)
        end = sequences.time[at[start + count - 1]]
        newest = np.argsort(-end, kind="stable")
        rank = np.argsort(newest)
        position = ranges(np.zeros_like(count), count)
        recent = position >= np.repeat(count - config.neighbour_events, count)
        at, position = at[recent], position[recent]
        row = np.repeat(rank, count)[recent]
        item = sequences.item[at].astype(np.int64)
        order = np.lexsort((position, item, row))
        first = np.flatnonzero(changes(row[order] * self._n_items + item[order]))
        last = order[np.append(first[1:], len(order)) - 1]
        heaviest = np.maximum.reduceat(weight[at][order], first)
        shape = (len(count), self._n_items)
        self.neighbours = csr_matrix((heaviest, (row[last], item[last])), shape)
        self.position = position[last]  # entries stand in the order of rows, then items, in both
        self.recency = np.ones(len(count))
        if config.neighbour_half_life_days is not None:
            days = (end[newest[0]] - end[newest]) / DAY
            self.recency = np.exp2(-days / config.neighbour_half_life_days)

    def score(self, histories: Histories) -> Tensor:
        """(n_queries, n_items)."""
        scores = [self._scores(*asked) for asked in self._queries(histories)]
        return torch.from_numpy(np.concatenate(scores)).to(self._context.device)

    def _queries(self, histories: Histories) -> Iterator[tuple[csr_matrix, Int64]]:
        """Of some queries each: (n, n_items) weights of their courses, and latest places or -1."""
        items, row = histories.items.cpu(), histories.row.cpu().numpy()
        time = None if histories.time is None else histories.time.cpu()
        length, ages = histories.length.cpu().numpy(), self.config.ages(items, time).numpy()
        size = max(1, ENTRIES // max(self._n_items, len(self.recency)))
        for first in range(0, len(row), size):
            rows, counts = row[first : first + size], length[first : first + size]
            latest = _latest(items.numpy(), rows, counts, self._n_items)
            query, item = np.nonzero(latest >= 0)
            place = latest[query, item]
            if self.config.query_weights == "linear":
                weight = (place + 1) / counts[query]
            else:
                weight = np.exp(ages[rows[query], place] - ages[rows, counts - 1][query])
            kept = weight > 0
            chosen = (weight[kept], (query[kept], item[kept]))
            yield csr_matrix(chosen, latest.shape), latest

    def _scores(self, asked: csr_matrix, latest: Int64) -> Float32:
        """(n, n_items)."""
        query, neighbour, similarity = self._nearest(asked)
        starts, n_items = self.neighbours.indptr.astype(np.int64), self._n_items
        scores = np.zeros(latest.size)
        chunk = np.cumsum(np.diff(starts)[neighbour]) // ENTRIES
        for of in np.split(np.arange(len(query)), np.flatnonzero(np.diff(chunk)) + 1):
            if not len(of):
                continue  # nobody shares a course with anybody here
            counts = np.diff(starts)[neighbour[of]]
            entry = ranges(starts[neighbour[of]], counts)
            cell = np.repeat(query[of] * n_items, counts) + self.neighbours.indices[entry]
            votes = np.repeat(similarity[of], counts) * self.neighbours.data[entry]
            if self.config.closeness_weight is not None:
                position = self.position[entry]
                beyond = int(position.max()) + 1
                # A place is one course's, so the greatest sum ends with that course's position.
                sums = latest.ravel()[cell] * beyond + position
                star = np.maximum.reduceat(sums, np.cumsum(counts) - counts) % beyond
                votes *= self.config.closeness_weight ** np.abs(position - np.repeat(star, counts))
            scores += np.bincount(cell, votes, minlength=len(scores))
        return scores.reshape(latest.shape).astype(np.float32)

    def _nearest(self, asked: csr_matrix) -> tuple[Int64, Int64, Float64]:
        """(n_pairs,) queries, ascending, their neighbours and how similar each is."""
        products = csr_matrix(asked @ self.neighbours.T)
        products.sort_indices()
        query, rank = _rows(products.indptr)
        recent = rank < self.config.sample_size  # neighbours stand by how recent they are
        query, neighbour = query[recent], products.indices[recent].astype(np.int64)
        if self.config.similarity == "dot":
            length = np.diff(asked.indptr)[query]
        else:
            length = _norms(asked)[query] * _norms(self.neighbours)[neighbour]
        similarity = products.data[recent] / length * self.recency[neighbour]
        order = np.lexsort((neighbour, -np.round(similarity, DIGITS), query))
        counts = np.bincount(query, minlength=asked.shape[0])
        kept = order[_rows(np.append(0, np.cumsum(counts)))[1] < self.config.neighbours]
        return query[kept], neighbour[kept], similarity[kept]

    def state(self) -> dict[str, Tensor]:
        """The neighbours in compressed rows, their entries' positions, and how recent they are."""
        return to_state(self.neighbours) | {
            "position": torch.from_numpy(self.position.copy()),
            "recency": torch.from_numpy(self.recency.copy()),
        }

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take over neighbours."""
        parts = tuple(state[name].numpy() for name in ("value", "item", "start"))
        self.neighbours = csr_matrix(parts, (len(parts[2]) - 1, self._n_items))
        self.position, self.recency = state["position"].numpy(), state["recency"].numpy()


def _latest(items: Int64, row: Int64, length: Int64, n_items: int) -> Int64:
    """(n_queries, n_items) the latest place of each course in each query's history, or -1.

    Of queries to one history, each adds what happened since the one before.
    """
    order = np.lexsort((length, row))
    rows, lengths = row[order], length[order]
    known = np.where(changes(rows), 0, np.roll(lengths, 1))
    query, place = np.repeat(np.arange(len(rows)), lengths - known), ranges(known, lengths - known)
    begin = rows * items.shape[1]
    found = np.full((len(rows), n_items), -1)
    np.maximum.at(found, (query, items[rows[query], place]), begin[query] + place)
    np.maximum.accumulate(found, out=found)
    latest: Int64 = np.maximum(found - begin[:, None], -1)
    return latest[np.argsort(order)]


def _rows(indptr: Int64) -> tuple[Int64, Int64]:
    """(n_entries,) each compressed entry's row, and its number there."""
    counts = np.diff(indptr).astype(np.int64)
    return np.repeat(np.arange(len(counts)), counts), ranges(counts * 0, counts)


def _norms(matrix: csr_matrix) -> Float64:
    """(n_rows,) Euclidean."""
    found: Float64 = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1)).ravel())
    return found


FAMILY = Family(
    name="session_knn",
    title="session neighbours",
    title_zh="会话近邻",
    role="baseline",
    tasks={
        NEXT_ITEM: Build(
            SessionKnnConfig,
            SessionKnn,
            epochs=1,
            random=False,
            reads_order=lambda c: c.reads_order,
        )
    },
)
