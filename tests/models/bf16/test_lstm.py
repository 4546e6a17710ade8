"""What is around the kernels of the LSTM, against torch's own; in `test_kernels.py` they run."""

import pytest
import torch
from half_layers import SIZES, check_near_torchs, work_in_torch
from torch import Tensor, nn

from recsweep.models.bf16 import lstm
from recsweep.models.bf16.lstm import HalfLstmLayer


def forward(
    inputs: Tensor, weight: Tensor, bias: Tensor, gates: Tensor, cells: Tensor, states: Tensor
) -> None:
    """As `lstm.h` says."""
    assert not states[0].any()
    assert not cells[0].any()
    for t, x in enumerate(inputs.float().view(gates.shape)):
        i, f, g, o = (x + states[t].float() @ weight.float() + bias).chunk(4, 1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        cell = f * cells[t].float() + i * g
        gates[t], cells[t + 1] = torch.cat((i, f, g, o), 1), cell
        states[t + 1] = o * cell.tanh()


def backward(
    upstream: Tensor, weight: Tensor, gates: Tensor, cells: Tensor, through: Tensor, bias: Tensor
) -> None:
    """Derivatives by W x + U h + b."""
    length, rows, _ = upstream.shape
    carried, later = torch.zeros(upstream.shape[1:]), torch.zeros(upstream.shape[1:])
    for t in reversed(range(length)):
        i, f, g, o = gates[t].float().chunk(4, 1)
        cell, d = cells[t + 1].float().tanh(), upstream[t].float() + later
        d_cell = carried + d * o * (1 - cell * cell)
        d_i, d_f = d_cell * g * i * (1 - i), d_cell * cells[t].float() * f * (1 - f)
        by = torch.cat((d_i, d_f, d_cell * i * (1 - g * g), d * cell * o * (1 - o)), 1)
        through.view(length, rows, -1)[t] = by
        bias += by.sum(0)
        carried, later = d_cell * f, by @ weight.float()


@SIZES
def test_states_and_every_gradient_are_near_torchs(
    monkeypatch: pytest.MonkeyPatch, rows: int, length: int, width: int, size: int
) -> None:
    work_in_torch(monkeypatch, lstm, forward, backward)
    layer = nn.LSTM(width, size, batch_first=True)
    check_near_torchs(layer, HalfLstmLayer, rows, length, width, size)
