"""Layers in bfloat16, their kernels' work done in torch, against torch's own; on any processor."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

SIZES = pytest.mark.parametrize(
    ("rows", "length", "width", "size"), [(1, 1, 4, 5), (33, 5, 7, 6), (3, 4, 2, 3)]
)


def work_in_torch(
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    forward: Callable[..., None],
    backward: Callable[..., None],
) -> None:
    """Let a module's layer call these functions where it calls its kernels."""
    kind = module.__name__.rpartition(".")[2]

    def call(name: str, tensors: Any, sizes: tuple[int, ...]) -> None:
        length, rows, size = sizes
        assert {each.dtype for each in tensors} == {torch.bfloat16, torch.float32}
        if name == f"{kind}_forward":
            assert tensors[3].shape == (length, rows, 4 * size)
            assert {each.shape for each in tensors[4:]} == {(length + 1, rows, size)}
            forward(*tensors)
        else:
            assert name == f"{kind}_backward"
            assert tensors[0].shape == (length, rows, size)
            backward(*tensors)

    monkeypatch.setattr(module, "call", call)
    monkeypatch.setattr(module, "packed", lambda matrix: matrix)


def check_near_torchs(
    layer: nn.GRU | nn.LSTM, half: Any, rows: int, length: int, width: int, size: int
) -> None:
    """States and every gradient of `half`, an autograd function, are near the layer's."""
    torch.manual_seed(0)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -1, 1)
    inputs = torch.randn(rows, length, width, requires_grad=True)
    everything = [inputs, *layer.parameters()]
    found, expected = half.apply(*everything), layer(inputs)[0]
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=0.03)
    by = torch.randn(rows, length, size)
    slopes = torch.autograd.grad((found * by).sum(), everything)
    exact = torch.autograd.grad((expected * by).sum(), everything)
    for a, b in zip(slopes, exact, strict=True):
        assert a.dtype == torch.float32
        assert (a - b).norm() <= 0.03 * b.norm()
