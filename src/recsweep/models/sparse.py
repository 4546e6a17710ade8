"""Sparse matrices of courses: how they are saved, what they are made from and multiplied with."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from scipy.sparse import csr_matrix, vstack
from torch import Tensor

from recsweep.data.arrays import ranges
from recsweep.data.types import Float64, Int64, Training
from recsweep.models.fading import FadingConfig, instants_of
from recsweep.models.protocol import Histories
from recsweep.models.weights import TrainingWeights

ENTRIES = 1 << 22
"""At most about so many events of histories are laid out at once."""
LONG = 1 << 12
"""What events before a multiple of it weigh is added up once for all queries further on."""


def interactions(training: Training, config: TrainingWeights | None = None) -> csr_matrix:
    """(n_users, n_items) how often each learner had each course before the cut; with a
    configuration, what those events weigh together.
    """
    sequences = training.sequences
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    found = None if config is None else config.weights(sequences.time, sequences.kind)
    weights = np.ones(len(owner), np.float32) if found is None else found.astype(np.float32)
    held = csr_matrix((weights, (owner, sequences.item)), (len(sequences), training.n_items))
    held.eliminate_zeros()  # the library takes what is stored for an event
    return held


def faded_histories(
    histories: Histories, fading: FadingConfig, n_items: int, instants: int | None = None
) -> Iterator[csr_matrix]:
    """(some queries, n_items) the weights of each query's events, added up by course; in the
    queries' order, so many at once that memory doesn't grow with the longest history.

    Args:
        histories: with the queries.
        fading: how events weigh.
        n_items: size of the catalogue.
        instants: only the events of the last so many weigh anything; None: all do.
    """
    items, row = histories.items.cpu().numpy(), histories.row.cpu().numpy()
    length = histories.length.cpu().numpy()
    time = None if histories.time is None else histories.time.cpu()
    ages = fading.ages(histories.items.cpu(), time).numpy()
    if instants is None:
        sums = (length - 1) // LONG
        begin = sums * LONG
        of_row = np.zeros(len(items), np.int64)
        np.maximum.at(of_row, row, sums)
        summed = _summed(items, ages, of_row, n_items)
        last_sum = (np.cumsum(of_row) - of_row)[row] + sums - 1
    else:
        number = instants_of(histories.items.cpu(), time).numpy()
        begin = _first_of_instants(number, row, number[row, length - 1] - instants + 1)
    chunk = np.cumsum(length - begin) // ENTRIES
    for of in np.split(np.arange(len(row)), np.flatnonzero(np.diff(chunk)) + 1):
        counts = length[of] - begin[of]
        query = np.repeat(np.arange(len(of)), counts)
        rows, place = np.repeat(row[of], counts), ranges(begin[of], counts)
        last = np.repeat(length[of] - 1, counts)
        weight = np.exp(ages[rows, place] - ages[rows, last])
        kept = (weight, (query, items[rows, place]))
        found = csr_matrix(kept, (len(of), n_items), dtype=np.float32)
        further = np.flatnonzero(begin[of] > 0)
        if instants is None and len(further):
            at = of[further]
            since = np.exp(ages[row[at], begin[at]] - ages[row[at], length[at] - 1])
            picked = csr_matrix((since, (further, last_sum[at])), (len(of), summed.shape[0]))
            found = (found + picked @ summed).astype(np.float32)
        yield found


def _summed(items: Int64, ages: Float64, sums: Int64, n_items: int) -> csr_matrix:
    """(sums.sum(), n_items) so many of each row: what its events before each multiple of LONG weigh
    together, seen from there.
    """
    found = [csr_matrix((0, n_items))]
    for row in np.flatnonzero(sums):
        held = csr_matrix((1, n_items))
        for begin in range(0, sums[row] * LONG, LONG):
            here, end = slice(begin, begin + LONG), begin + LONG
            weight = np.exp(ages[row, here] - ages[row, end])
            since = np.exp(ages[row, begin] - ages[row, end])
            at = (np.zeros(LONG, np.int64), items[row, here])
            held = held * since + csr_matrix((weight, at), (1, n_items))
            found.append(held)
    return vstack(found, "csr")


def _first_of_instants(number: Int64, row: Int64, first: Int64) -> Int64:
    """(n_queries,) the first place of each query's row at its instant of the number, or after it.

    Args:
        number: (n_rows, longest) of each place's instant, from 0, non-decreasing.
        row: (n_queries,).
        first: (n_queries,) number of the instant that is sought.
    """
    longest = number.shape[1]
    in_order = (number + np.arange(len(number))[:, None] * longest).ravel()
    place = np.searchsorted(in_order, np.maximum(first, 0) + row * longest)
    found: Int64 = place - row * longest
    return found


def to_state(matrix: csr_matrix) -> dict[str, Tensor]:
    """Compressed rows as tensors, copied."""
    return {
        "start": torch.from_numpy(matrix.indptr.astype(np.int64)),
        "item": torch.from_numpy(matrix.indices.astype(np.int64)),
        "value": torch.from_numpy(matrix.data.copy()),
    }


def from_state(state: Mapping[str, Tensor]) -> csr_matrix:
    """The matrix that `to_state` saved."""
    n = len(state["start"]) - 1
    parts = (state["value"].numpy(), state["item"].numpy(), state["start"].numpy())
    return csr_matrix(parts, (n, n))
