"""An LSTM layer for the CPU whose backward pass is written by hand, as the GRU's in `gru.py`.

Same equations as `torch.nn.LSTM` (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et
al. 2000):

    i = σ(W_i x + U_i h + b_i)    f = σ(W_f x + U_f h + b_f)    o = σ(W_o x + U_o h + b_o)
    g = tanh(W_g x + U_g h + b_g)    c' = f ⊙ c + i ⊙ g    h' = o ⊙ tanh(c')
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class LstmLayer(torch.autograd.Function):
    """(rows, length, size) states from (rows, length, any width); torch's weights: i, f, g, o."""

    # Under autocast too it stays in float32: torch's small products would not gain.
    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(  # noqa: D102
        ctx: Any, inputs: Tensor, w_in: Tensor, w_hidden: Tensor, b_in: Tensor, b_hidden: Tensor
    ) -> Tensor:
        rows, length, _ = inputs.shape
        size = w_hidden.shape[1]
        steps = inputs.transpose(0, 1).reshape(length * rows, -1)  # time-major
        gates = torch.addmm(b_in + b_hidden, steps, w_in.T).view(length, rows, 4 * size)
        turned = w_hidden.T.contiguous()
        # cells[t + 1] and states[t + 1] follow step t
        cells = inputs.new_zeros(length + 1, rows, size)
        states = torch.zeros_like(cells)
        squashed = inputs.new_empty(length, rows, size)  # tanh(c')
        # Views are made once: making one costs as much as using it.
        for before, after, cell_before, cell_after, own, i_and_f, i, f, g, o, tanh_cell in zip(
            states[:-1].unbind(),
            states[1:].unbind(),
            cells[:-1].unbind(),
            cells[1:].unbind(),
            gates.unbind(),
            gates[..., : 2 * size].unbind(),
            *(gate.unbind() for gate in gates.chunk(4, 2)),
            squashed.unbind(),
            strict=True,
        ):
            own.addmm_(before, turned)
            i_and_f.sigmoid_()
            g.tanh_()
            o.sigmoid_()
            torch.mul(f, cell_before, out=cell_after)
            cell_after.addcmul_(i, g)
            torch.tanh(cell_after, out=tanh_cell)
            torch.mul(o, tanh_cell, out=after)
        ctx.save_for_backward(steps, w_in, w_hidden, gates, cells, squashed, states)
        return states[1:].transpose(0, 1)

    @staticmethod
    @once_differentiable
    @torch.amp.custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    def backward(  # type: ignore[override]  # noqa: D102
        ctx: Any, grad: Tensor
    ) -> tuple[Tensor | None, ...]:
        steps, w_in, w_hidden, gates, cells, squashed, states = ctx.saved_tensors
        length, rows, _ = gates.shape
        size = w_hidden.shape[1]
        i, f, g, o = gates.chunk(4, 2)
        by_o = squashed * o * (1 - o)  # times the derivative by h'
        to_cell = o * (1 - squashed * squashed)  # d h' / d c'
        by_cell = torch.stack(  # times the derivative by c': what i, f and g are functions of
            (g * i * (1 - i), cells[:-1] * f * (1 - f), i * (1 - g * g)), 2
        )
        # Derivatives of what the gates are functions of.
        through = torch.empty_like(gates)
        d_i_f_g = through.view(length, rows, 4, size)[:, :, :3]
        upstream = grad.transpose(0, 1)
        back_cell = torch.zeros_like(cells[0])
        back = torch.zeros_like(back_cell)
        whole = upstream, by_o, to_cell, by_cell, f, d_i_f_g, through[..., 3 * size :], through
        for up, bo, tc, bc, f_t, d_ifg, d_o, all_t in zip(
            *(reversed(each.unbind()) for each in whole), strict=True
        ):
            back.add_(up)
            torch.mul(back, bo, out=d_o)
            back_cell.addcmul_(back, tc)
            torch.mul(back_cell.unsqueeze(1), bc, out=d_ifg)
            back_cell.mul_(f_t)
            torch.mm(all_t, w_hidden, out=back)
        flat = through.view(length * rows, -1)
        grad_inputs = (flat @ w_in).view(length, rows, -1).transpose(0, 1)
        grad_bias = flat.sum(0)
        grad_hidden = flat.T @ states[:-1].reshape(length * rows, size)
        return grad_inputs, flat.T @ steps, grad_hidden, grad_bias, grad_bias
