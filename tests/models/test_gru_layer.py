"""The GRU layer against torch's own."""

import pytest
import torch
from torch import Tensor, nn

from recsweep.models.gru_layer import GruLayer

WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def ours(layer: nn.GRU, inputs: Tensor) -> Tensor:
    states: Tensor = GruLayer.apply(inputs, *(getattr(layer, name) for name in WEIGHTS))  # type: ignore[no-untyped-call]
    return states


@pytest.mark.parametrize(
    ("rows", "length", "width", "size"), [(1, 1, 1, 1), (3, 1, 4, 5), (2, 6, 5, 3), (4, 3, 2, 2)]
)
def test_states_and_every_gradient_are_torchs(
    rows: int, length: int, width: int, size: int
) -> None:
    torch.manual_seed(0)
    layer = nn.GRU(width, size, batch_first=True).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter)
    inputs = torch.randn(rows, length, width, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(rows, length, size, dtype=torch.float64)
    states, expected = ours(layer, inputs), layer(inputs)[0]
    torch.testing.assert_close(states, expected)
    everything = [inputs, *layer.parameters()]
    found = torch.autograd.grad((states * weight).sum(), everything)
    for a, b in zip(found, torch.autograd.grad((expected * weight).sum(), everything), strict=True):
        torch.testing.assert_close(a, b)


def test_gradients_are_those_of_small_steps() -> None:
    torch.manual_seed(0)
    shapes = ((2, 4, 3), (6, 3), (6, 2), (6,), (6,))
    parts = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(GruLayer.apply, parts)


def test_under_autocast_too_states_are_float32() -> None:
    torch.manual_seed(0)
    layer, inputs = nn.GRU(3, 4, batch_first=True), torch.randn(2, 5, 3)
    plain = ours(layer, inputs)
    with torch.autocast("cpu", torch.bfloat16):
        states = ours(layer, inputs)
    assert states.dtype == torch.float32
    assert torch.equal(states, plain)
