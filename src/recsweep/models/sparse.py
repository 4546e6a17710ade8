"""Sparse (n_items, n_items) matrices: how they are saved, and the counts they are made from."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.sparse import csr_matrix
from torch import Tensor

from recsweep.data.types import Training


def interactions(training: Training) -> csr_matrix:
    """(n_users, n_items) how often each learner had each course before the cut."""
    sequences = training.sequences
    owner = np.repeat(np.arange(len(sequences)), np.diff(sequences.offsets))
    ones = np.ones(len(owner), np.float32)
    return csr_matrix((ones, (owner, sequences.item)), (len(sequences), training.n_items))


def to_state(matrix: csr_matrix) -> dict[str, Tensor]:
    """Compressed rows as tensors, copied."""
    return {
        "start": torch.from_numpy(matrix.indptr.astype(np.int64)),
        "item": torch.from_numpy(matrix.indices.astype(np.int64)),
        "value": torch.from_numpy(matrix.data.astype(np.float32)),
    }


def from_state(state: Mapping[str, Tensor]) -> csr_matrix:
    """The matrix that `to_state` saved."""
    n = len(state["start"]) - 1
    parts = (state["value"].numpy(), state["item"].numpy(), state["start"].numpy())
    return csr_matrix(parts, (n, n))
