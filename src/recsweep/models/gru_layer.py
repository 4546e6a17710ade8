"""A GRU layer for the CPU whose backward pass is written by hand.

torch's own layer records every gate of every step for autograd and adds up a weight gradient a
step. Here a step is seven small operations into buffers, its derivative factors are computed for
all steps at once, and each weight gradient is one product over all steps. Same equations as
`torch.nn.GRU` (Cho et al. 2014, with the reset gate inside the candidate's product):

    r = σ(W_r x + U_r h + b_r)    z = σ(W_z x + U_z h + b_z)
    n = tanh(W_n x + b_n + r ⊙ (U_n h + c_n))    h' = (1 - z) ⊙ n + z ⊙ h
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class GruLayer(torch.autograd.Function):
    """(rows, length, size) states from (rows, length, any width); torch's weights: r, z, n."""

    # Under autocast too it stays in float32: torch's small products would not gain.
    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(  # noqa: D102
        ctx: Any, inputs: Tensor, w_in: Tensor, w_hidden: Tensor, b_in: Tensor, b_hidden: Tensor
    ) -> Tensor:
        rows, length, _ = inputs.shape
        size = w_hidden.shape[1]
        steps = inputs.transpose(0, 1).reshape(length * rows, -1)  # time-major
        # The hidden biases of r and z only ever stand in a sum with the input's.
        bias = b_in.clone()
        bias[: 2 * size] += b_hidden[: 2 * size]
        gates = torch.addmm(bias, steps, w_in.T).view(length, rows, 3 * size)
        candidate_bias = torch.zeros_like(b_hidden)
        candidate_bias[2 * size :] = b_hidden[2 * size :]
        turned = w_hidden.T.contiguous()
        states = inputs.new_zeros(length + 1, rows, size)  # states[t + 1] follows step t
        hidden = inputs.new_empty(length, rows, 3 * size)
        reset_update, candidate = gates[..., : 2 * size], gates[..., 2 * size :]
        # Views are made once: making one costs as much as using it.
        for before, after, own, both, r, z, n in zip(
            states[:-1].unbind(),
            states[1:].unbind(),
            hidden.unbind(),
            reset_update.unbind(),
            gates[..., :size].unbind(),
            gates[..., size : 2 * size].unbind(),
            candidate.unbind(),
            strict=True,
        ):
            torch.addmm(candidate_bias, before, turned, out=own)
            both.add_(own[:, : 2 * size]).sigmoid_()
            n.addcmul_(r, own[:, 2 * size :]).tanh_()
            torch.lerp(n, before, z, out=after)
        ctx.save_for_backward(steps, w_in, w_hidden, gates, hidden, states)
        return states[1:].transpose(0, 1)

    @staticmethod
    @once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(  # type: ignore[override]  # noqa: D102
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        steps, w_in, w_hidden, gates, hidden, states = ctx.saved_tensors
        length, rows, _ = gates.shape
        size = w_hidden.shape[1]
        r, z, n = gates.chunk(3, 2)
        by_n = (1 - z) * (1 - n * n)  # d h' / d (argument of tanh)
        by_z = (states[:-1] - n) * z * (1 - z)
        by_r = hidden[..., 2 * size :] * r * (1 - r)  # times the candidate's derivative
        # Derivatives of what r, z and n are functions of, through the hidden state …
        through_hidden = torch.empty_like(gates)
        d_r, d_z, d_n_hidden = through_hidden.chunk(3, 2)
        d_n = torch.empty_like(by_n)  # … and of the candidate through the input
        upstream = grad.transpose(0, 1).contiguous()
        back = torch.zeros_like(upstream[0])
        whole = (upstream, by_z, by_n, by_r, r, z, d_z, d_n, d_r, d_n_hidden, through_hidden)
        for up, bz, bn, br, r_t, z_t, dz, dn, dr, dh, all_t in zip(
            *(reversed(each.unbind()) for each in whole), strict=True
        ):
            back.add_(up)
            torch.mul(back, bz, out=dz)
            torch.mul(back, bn, out=dn)
            torch.mul(dn, br, out=dr)
            torch.mul(dn, r_t, out=dh)
            back.mul_(z_t).addmm_(all_t, w_hidden)
        flat_hidden = through_hidden.view(length * rows, -1)
        grad_hidden = flat_hidden.T @ states[:-1].reshape(length * rows, size)
        grad_b_hidden = flat_hidden.sum(0)
        through_hidden[..., 2 * size :] = d_n  # from here on: through the input
        grad_inputs = (flat_hidden @ w_in).view(length, rows, -1).transpose(0, 1)
        return grad_inputs, flat_hidden.T @ steps, grad_hidden, flat_hidden.sum(0), grad_b_hidden
