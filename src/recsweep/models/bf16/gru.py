"""A GRU layer in bfloat16 on the CPU; its steps are in `gru.h`.

torch's own bfloat16 products are as fast, but it makes a kernel for every new shape, and nearly
every batch has another number of states; and a step of a GRU is too small for calls from Python.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsweep.models.bf16.operands import call, packed, time_major


class HalfGruLayer(torch.autograd.Function):
    """`GruLayer` of `models/gru_layer.py` for a multiple of 32 units; gives bfloat16."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, w_in: Tensor, w_hidden: Tensor, b_in: Tensor, b_hidden: Tensor
    ) -> Tensor:
        """(rows, length, size) from (rows, length, any width)."""
        rows, length, width = inputs.shape
        size = w_hidden.shape[1]
        steps = time_major(inputs)
        padded = steps.shape[1]
        w_in, w_hidden = w_in.bfloat16(), w_hidden.bfloat16()
        of_inputs = steps.view(-1, width) @ w_in.T
        bias = torch.cat((b_in, b_hidden[2 * size :]))
        bias[: 2 * size] += b_hidden[: 2 * size]
        gates = steps.new_empty(length, padded, 4 * size)
        states = steps.new_empty(length + 1, padded, size)
        states[0] = 0.0
        call(
            "gru_forward",
            (of_inputs, packed(w_hidden.T), bias, gates, states),
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
        call(
            "gru_backward",
            (
                *(time_major(grad), packed(w_hidden), gates, states),
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
