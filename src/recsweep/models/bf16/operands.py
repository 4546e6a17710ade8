"""What `kernels.cpp` takes: its functions are called here, and tensors are laid out for it."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad

from recsweep.models.bf16.library import address, library

Layer = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]

MULTIPLE = 32
"""Of rows and columns that a product takes; what is less is padded with zeros."""


def call(name: str, tensors: tuple[Tensor, ...], sizes: tuple[int, ...]) -> float:
    """What a function of the library returns, asked with addresses and sizes."""
    found = library()
    assert found is not None
    result: float = getattr(found.functions, name)(*map(address, tensors), *sizes)
    return result


def time_major(grid: Tensor) -> Tensor:
    """(rows, length, width) -> (length, padded rows, width) in bfloat16."""
    rows, length, width = grid.shape
    turned = grid.new_empty(length, up(rows), width, dtype=torch.bfloat16)
    turned[:, :rows] = grid.transpose(0, 1)
    turned[:, rows:] = 0.0
    return turned


def padded(matrix: Tensor) -> Tensor:
    """Rows and columns of a multiple of 32, in bfloat16."""
    rows, columns = matrix.shape
    out = matrix.new_zeros(up(rows), up(columns), dtype=torch.bfloat16)
    out[:rows, :columns] = matrix
    return out


def packed(matrix: Tensor) -> Tensor:
    """(k, n) -> (n / 16, k / 32, 16, 16, 2): tiles as the processor reads a right operand."""
    k, n = matrix.shape
    return matrix.reshape(k // 32, 16, 2, n // 16, 16).permute(3, 0, 1, 4, 2).contiguous()


def up(count: int) -> int:
    """To the next multiple."""
    return -(-count // MULTIPLE) * MULTIPLE


def on_padded_units(
    layer: Layer, inputs: Tensor, w_in: Tensor, w_hidden: Tensor, b_in: Tensor, b_hidden: Tensor
) -> Tensor:
    """(rows, length, size) states in bfloat16 of a layer that takes multiples of 32 units.

    Weights are torch's: the gates lie one below the other. A unit that is padded on has no weights:
    its state stays 0, and nothing reads it.
    """
    size = w_hidden.shape[1]
    if more := up(size) - size:
        w_in = pad(w_in.view(-1, size, w_in.shape[1]), (0, 0, 0, more)).flatten(0, 1)
        w_hidden = pad(w_hidden.view(-1, size, size), (0, more, 0, more)).flatten(0, 1)
        b_in, b_hidden = (
            pad(bias.view(-1, size), (0, more)).flatten() for bias in (b_in, b_hidden)
        )
    return layer(inputs, w_in, w_hidden, b_in, b_hidden)[..., :size]
