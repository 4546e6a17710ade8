"""Cross entropy over a catalogue in bfloat16 on the CPU; the work is in `cross_entropy.h`."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsweep.models.bf16.operands import call, packed, padded


class HalfCrossEntropy(torch.autograd.Function):
    """`_LinearCrossEntropy` of `models/losses.py`, without memory; its logits are never rounded."""

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
        hidden, table = padded(states), padded(weight)
        size = hidden.shape[1]
        grad_states = torch.empty(hidden.shape)
        grad_table = torch.zeros(size, len(table))
        grad_bias = torch.zeros(n_items)
        counts = torch.bincount(target_state, minlength=len(hidden))
        total = call(
            "cross_entropy",
            (
                *(hidden, packed(table.T), packed(table), bias, target.contiguous(), counts),
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
