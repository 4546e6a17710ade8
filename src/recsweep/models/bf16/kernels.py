"""A GRU layer and a cross entropy in bfloat16 on the CPU; the work is in `kernels.cpp`.

torch's own bfloat16 products are as fast, but it makes a kernel for every new shape, and nearly
every batch has another number of states; and a step of a GRU is too small for calls from Python.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import pad

from recsweep.models.bf16.library import address, library

MULTIPLE = 32
"""Of rows and columns that a product takes; what is less is padded with zeros."""


def runs(device: torch.device) -> bool:
    """Do our kernels multiply here?"""
    return device.type == "cpu" and library() is not None


def gru_layer(
    inputs: Tensor, w_in: Tensor, w_hidden: Tensor, b_in: Tensor, b_hidden: Tensor
) -> Tensor:
    """(rows, length, size) states in bfloat16 from (rows, length, any width).

    A unit that is padded on has no weights: its state stays 0, and nothing reads it.
    """
    size = w_hidden.shape[1]
    more = _up(size) - size
    if more:
        w_in = pad(w_in.view(3, size, -1), (0, 0, 0, more)).flatten(0, 1)
        w_hidden = pad(w_hidden.view(3, size, size), (0, more, 0, more)).flatten(0, 1)
        b_in, b_hidden = (pad(b.view(3, size), (0, more)).flatten() for b in (b_in, b_hidden))
    states: Tensor = HalfGruLayer.apply(inputs, w_in, w_hidden, b_in, b_hidden)  # type: ignore[no-untyped-call]
    return states[..., :size]


class HalfGruLayer(torch.autograd.Function):
    """`_GruLayer` of `recurrence.py` for a size of a multiple of 32; gives states in bfloat16."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, w_in: Tensor, w_hidden: Tensor, b_in: Tensor, b_hidden: Tensor
    ) -> Tensor:
        """(rows, length, size) from (rows, length, any width)."""
        rows, length, width = inputs.shape
        size = w_hidden.shape[1]
        steps = _time_major(inputs)
        padded = steps.shape[1]
        w_in, w_hidden = w_in.bfloat16(), w_hidden.bfloat16()
        of_inputs = steps.view(-1, width) @ w_in.T
        bias = torch.cat((b_in, b_hidden[2 * size :]))
        bias[: 2 * size] += b_hidden[: 2 * size]
        gates = steps.new_empty(length, padded, 4 * size)
        states = steps.new_empty(length + 1, padded, size)
        states[0] = 0.0
        _call(
            "gru_forward",
            (of_inputs, _packed(w_hidden.T), bias, gates, states),
            (length, padded, size),
        )
        ctx.save_for_backward(steps, w_in, w_hidden, gates, states)
        return states[1:, :rows].transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the inputs, and of the weights in float32."""
        steps, w_in, w_hidden, gates, states = ctx.saved_tensors
        length, padded, width = steps.shape
        size = w_hidden.shape[1]
        through_input = gates.new_empty(length * padded, 3 * size)
        through_hidden = torch.empty_like(through_input)
        grad_bias = torch.zeros(4 * size)
        _call(
            "gru_backward",
            (
                *(_time_major(grad), _packed(w_hidden), gates, states),
                *(through_input, through_hidden, grad_bias),
            ),
            (length, padded, size),
        )
        grad_inputs = (through_input @ w_in).view(length, padded, width)
        return (
            grad_inputs[:, : len(grad)].transpose(0, 1),
            (through_input.T @ steps.view(-1, width)).float(),
            (through_hidden.T @ states[:-1].view(-1, size)).float(),
            grad_bias[: 3 * size],
            torch.cat((grad_bias[: 2 * size], grad_bias[3 * size :])),
        )


class HalfCrossEntropy(torch.autograd.Function):
    """`_LinearCrossEntropy` of `losses.py`, without memory; its logits are never rounded."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,  # (S, D)
        weight: Tensor,  # (N, D)
        bias: Tensor,  # (N,)
        target: Tensor,  # (T,)
        target_state: Tensor,  # (T,) non-decreasing
    ) -> Tensor:
        """Mean over targets."""
        n_items, own = weight.shape
        hidden, table = _padded(states), _padded(weight)
        size = hidden.shape[1]
        grad_states = torch.empty(hidden.shape)
        grad_table = torch.zeros(size, len(table))
        grad_bias = torch.zeros(n_items)
        counts = torch.bincount(target_state, minlength=len(hidden))
        total = _call(
            "cross_entropy",
            (
                *(hidden, _packed(table.T), _packed(table), bias, target.contiguous(), counts),
                *(grad_states, grad_table, grad_bias),
            ),
            (len(hidden), n_items, size, len(target)),
        )
        ctx.save_for_backward(
            grad_states[: len(states), :own], grad_table[:own, :n_items].T, grad_bias
        )
        return torch.tensor(total / len(target))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Scaled by the mean's own gradient."""
        states, weight, bias = ctx.saved_tensors
        return states * grad, weight.contiguous() * grad, bias * grad, None, None


def _call(name: str, tensors: tuple[Tensor, ...], sizes: tuple[int, ...]) -> float:
    found = library()
    assert found is not None
    result: float = getattr(found.functions, name)(*map(address, tensors), *sizes)
    return result


def _time_major(grid: Tensor) -> Tensor:
    """(rows, length, width) -> (length, padded rows, width) in bfloat16."""
    rows, length, width = grid.shape
    turned = grid.new_empty(length, _up(rows), width, dtype=torch.bfloat16)
    turned[:, :rows] = grid.transpose(0, 1)
    turned[:, rows:] = 0.0
    return turned


def _padded(matrix: Tensor) -> Tensor:
    """More rows and columns, in bfloat16."""
    rows, columns = matrix.shape
    out = matrix.new_zeros(_up(rows), _up(columns), dtype=torch.bfloat16)
    out[:rows, :columns] = matrix
    return out


def _packed(matrix: Tensor) -> Tensor:
    """(k, n) -> (n / 16, k / 32, 16, 16, 2): tiles as the processor reads a right operand."""
    k, n = matrix.shape
    return matrix.reshape(k // 32, 16, 2, n // 16, 16).permute(3, 0, 1, 4, 2).contiguous()


def _up(count: int) -> int:
    return -(-count // MULTIPLE) * MULTIPLE
