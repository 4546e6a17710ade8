"""Sparse matrices of courses: how they are saved, what they are made from and multiplied with."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.data.arrays import ranges
from recsweep.data.types import Training
from recsweep.models.fading import FadingConfig, instants_of
from recsweep.models.protocol import Histories
from recsweep.models.weights import TrainingWeights

ENTRIES = 1 << 22
"""At most about so many events of histories are laid out at once."""


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
    number = None if instants is None else instants_of(histories.items.cpu(), time).numpy()
    chunk = np.cumsum(length) // ENTRIES
    for of in np.split(np.arange(len(row)), np.flatnonzero(np.diff(chunk)) + 1):
        counts = length[of]
        query = np.repeat(np.arange(len(of)), counts)
        rows, place = np.repeat(row[of], counts), ranges(np.zeros_like(counts), counts)
        last = np.repeat(length[of] - 1, counts)
        weight = np.exp(ages[rows, place] - ages[rows, last])
        if number is not None:
            weight *= number[rows, last] - number[rows, place] < instants
        kept = (weight, (query, items[rows, place]))
        yield csr_matrix(kept, (len(of), n_items), dtype=np.float32)


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
