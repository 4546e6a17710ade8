"""An LSTM layer in bfloat16 on the CPU; its steps are in `lstm.h`."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsweep.models.bf16.operands import call, packed, time_major


class HalfLstmLayer(torch.autograd.Function):
    """A layer of `torch.nn.LSTM` (gates i, f, g, o) for a multiple of 32 units; gives bfloat16."""

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
        gates = steps.new_empty(length, padded, 4 * size)
        cells = steps.new_empty(length + 1, padded, size)
        states = torch.empty_like(cells)
        cells[0] = states[0] = 0.0
        call(
            "lstm_forward",
            (of_inputs, packed(w_hidden.T), b_in + b_hidden, gates, cells, states),
            (length, padded, size),
        )
        ctx.save_for_backward(steps, w_in, w_hidden, gates, cells, states)
        return states[1:, :rows].transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the inputs, and of the weights in float32."""
        steps, w_in, w_hidden, gates, cells, states = ctx.saved_tensors
        length, padded, width = steps.shape
        size = w_hidden.shape[1]
        through = gates.new_empty(length * padded, 4 * size)
        grad_bias = torch.zeros(4 * size)
        call(
            "lstm_backward",
            (time_major(grad), packed(w_hidden), gates, cells, through, grad_bias),
            (length, padded, size),
        )
        grad_inputs = (through @ w_in).view(length, padded, width)
        return (
            grad_inputs[:, : len(grad)].transpose(0, 1),
            (through.T @ steps.view(-1, width)).float(),
            (through.T @ states[:-1].view(-1, size)).float(),
            grad_bias,
            grad_bias,
        )
