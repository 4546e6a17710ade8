"""What is around the kernels of the GRU, against torch's own; in `test_kernels.py` they run."""

import pytest
import torch
from half_layers import SIZES, check_near_torchs, work_in_torch
from torch import Tensor, nn

from recsweep.models.bf16 import gru
from recsweep.models.bf16.gru import HalfGruLayer


def forward(inputs: Tensor, weight: Tensor, bias: Tensor, gates: Tensor, states: Tensor) -> None:
    """As `gru.h` says: gates r, z, n and the candidate's inner product."""
    assert not states[0].any()
    for t, x in enumerate(inputs.float().view(len(gates), -1, 3 * states.shape[2])):
        (x_r, x_z, x_n), own = x.chunk(3, 1), (states[t].float() @ weight.float()).chunk(3, 1)
        b_r, b_z, b_n, c_n = bias.chunk(4)
        r, z = (x_r + own[0] + b_r).sigmoid(), (x_z + own[1] + b_z).sigmoid()
        inner = own[2] + c_n
        n = (x_n + b_n + r * inner).tanh()
        gates[t] = torch.cat((r, z, n, inner), 1)
        states[t + 1] = n + z * (states[t] - n)


def backward(
    upstream: Tensor, weight: Tensor, gates: Tensor, states: Tensor,
    by_input: Tensor, by_hidden: Tensor, grad_bias: Tensor,
) -> None:  # fmt: skip
    """Derivatives by W x + b and by U h + c."""
    length, rows, _ = upstream.shape
    carried = torch.zeros(upstream.shape[1:])
    for t in reversed(range(length)):
        r, z, n, inner = gates[t].float().chunk(4, 1)
        d = upstream[t].float() + carried
        d_n, d_z = d * (1 - z) * (1 - n * n), d * (states[t].float() - n) * z * (1 - z)
        d_r = d_n * inner * r * (1 - r)
        by_input.view(length, rows, -1)[t] = torch.cat((d_r, d_z, d_n), 1)
        hidden = torch.cat((d_r, d_z, d_n * r), 1)
        by_hidden.view(length, rows, -1)[t] = hidden
        grad_bias += torch.cat((d_r, d_z, d_n, d_n * r), 1).sum(0)
        carried = d * z + hidden @ weight.float()


@SIZES
def test_states_and_every_gradient_are_near_torchs(
    monkeypatch: pytest.MonkeyPatch, rows: int, length: int, width: int, size: int
) -> None:
    work_in_torch(monkeypatch, gru, forward, backward)
    layer = nn.GRU(width, size, batch_first=True)
    check_near_torchs(layer, HalfGruLayer, rows, length, width, size)
