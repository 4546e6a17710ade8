"""Crossed features: every pair of what is known, each combination with a weight of its own.

A category is a feature as it is. A number is cut into buckets at quantiles of training (Cheng et
al. 2016, section 4.2, do the same). Columns with several values at once (tags) and vectors of text
have no single value to cross and stay with the deep part.
"""

from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn

from recsweep.data.types import Float32, Labels

BUCKETS = 8


class Crosses(nn.Module):
    """The sum of one weight for each feature's value and for each pair of values."""

    of_codes: Tensor
    first: Tensor
    second: Tensor
    size: Tensor
    start: Tensor
    edges: Tensor
    numeric: Tensor
    sized_by_training = (
        *("of_codes", "numeric", "edges", "first", "second", "size", "start"),
        "weight",
    )

    def __init__(self, labels: Labels) -> None:
        super().__init__()
        codes, numeric, edges, sizes = _layout(labels)
        self.register_buffer("of_codes", torch.from_numpy(codes))
        self.register_buffer("numeric", torch.from_numpy(numeric))
        self.register_buffer("edges", torch.from_numpy(edges))
        pairs = list(combinations(range(len(sizes)), 2))
        first = torch.tensor([a for a, _ in pairs], dtype=torch.int64)
        second = torch.tensor([b for _, b in pairs], dtype=torch.int64)
        size = torch.tensor(sizes, dtype=torch.int64)
        counts = torch.cat((size, size[first] * size[second]))
        self.register_buffer("first", first)
        self.register_buffer("second", second)
        self.register_buffer("size", size)
        self.register_buffer("start", counts.cumsum(0) - counts)
        self.weight = nn.Parameter(torch.zeros(int(counts.sum()) + 1))

    def forward(self, inputs: Tensor) -> Tensor:
        """(n,) from (n, n_inputs)."""
        inputs = inputs.float()
        categories = (inputs @ self.of_codes).round().long()
        buckets = torch.searchsorted(self.edges, inputs[:, self.numeric].T.contiguous()).T
        codes = torch.cat((categories, buckets), 1)
        pairs = codes[:, self.first] * self.size[self.second] + codes[:, self.second]
        index = torch.cat((codes, pairs), 1) + self.start
        return self.weight[index].sum(1)


def _layout(labels: Labels) -> tuple[Float32, np.ndarray, Float32, list[int]]:
    """(n_inputs, n_categories) code of each 0/1 input; the inputs that are numbers and their
    (n_numbers, BUCKETS - 1) edges; how many values each feature has, categories first.
    """
    inputs, columns = labels.inputs, np.array(labels.columns)
    binary = ((inputs == 0) | (inputs == 1)).all(axis=0)
    codes, numeric, edges, categories, buckets = [], [], [], [], []
    for column in dict.fromkeys(labels.columns):
        at = np.flatnonzero(columns == column)
        flags, others = at[binary[at]], at[~binary[at]]
        if len(flags) and (inputs[:, flags].sum(axis=1) <= 1).all():
            code = np.zeros(inputs.shape[1], np.float32)
            code[flags] = np.arange(1, len(flags) + 1)
            codes.append(code)
            categories.append(len(flags) + 1)
        if len(others) == 1:
            cuts = np.quantile(inputs[:, others[0]], np.arange(1, BUCKETS) / BUCKETS)
            numeric.append(int(others[0]))
            edges.append(cuts.astype(np.float32))
            buckets.append(BUCKETS)
    width = inputs.shape[1]
    return (
        np.stack(codes, axis=1) if codes else np.zeros((width, 0), np.float32),
        np.array(numeric, np.int64),
        np.stack(edges) if edges else np.zeros((0, BUCKETS - 1), np.float32),
        [*categories, *buckets],
    )
