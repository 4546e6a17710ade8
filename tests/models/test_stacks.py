import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recsweep.models import stacks
from recsweep.models.stacks import StackConfig, run, stack, states_of


@pytest.mark.parametrize(("depth", "dropout"), [(1, 0.0), (2, 0.3), (3, 0.3)])
def test_dropout_lies_between_layers_so_a_single_one_has_none(depth: int, dropout: float) -> None:
    config = StackConfig(
        depth=depth, hidden_size=5, embedding_size=4, dropout=0.3,
        learning_rate=0.1, weight_decay=0, batch_size=1,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch's, of dropout that has no place
        layers = stack(nn.LSTM, config)
    assert (layers.num_layers, layers.dropout) == (depth, dropout)
    assert (layers.input_size, layers.hidden_size) == (4, 5)
    assert layers.batch_first
    assert not layers.bidirectional


@pytest.mark.parametrize(("rows", "length", "depth"), [(1, 1, 1), (3, 1, 2), (4, 7, 1), (5, 6, 3)])
def test_states_and_every_gradient_of_our_gru_equal_torchs(
    rows: int, length: int, depth: int
) -> None:
    torch.manual_seed(0)
    layers = nn.GRU(4, 5, depth, batch_first=True).double()
    inputs = torch.randn(rows, length, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(rows, length, 5, dtype=torch.float64)
    everything = [inputs, *layers.parameters()]
    theirs, _ = layers(inputs)
    ours = run(layers, inputs, nn.Identity())
    torch.testing.assert_close(ours, theirs)
    expected = torch.autograd.grad((theirs * weight).sum(), everything)
    found = torch.autograd.grad((ours * weight).sum(), everything)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


def test_states_of_a_row_do_not_depend_on_what_comes_later() -> None:
    torch.manual_seed(0)
    layers, inputs = nn.GRU(3, 4, batch_first=True), torch.randn(2, 6, 3)
    changed = inputs.clone()
    changed[:, 4:] = 9.0
    with torch.no_grad():
        one, two = (run(layers, x, nn.Identity()) for x in (inputs, changed))
    assert torch.equal(one[:, :4], two[:, :4])


class Halved(nn.Module):
    """A dropout that can be foreseen."""

    def forward(self, states: Tensor) -> Tensor:
        return states / 2


def test_dropout_is_between_the_layers_of_ours_and_nowhere_else() -> None:
    torch.manual_seed(0)
    layers, inputs = nn.GRU(3, 4, 2, batch_first=True), torch.randn(2, 5, 3)
    first, second = nn.GRU(3, 4, batch_first=True), nn.GRU(4, 4, batch_first=True)
    for number, each in enumerate((first, second)):
        for name, own in each.named_parameters():
            own.data = getattr(layers, name.replace("l0", f"l{number}"))
    expected = states_of(second, states_of(first, inputs) / 2)
    torch.testing.assert_close(run(layers, inputs, Halved()), expected)


@pytest.mark.parametrize(
    ("cell", "autocast", "kernels", "exported", "device", "by"),
    [
        (nn.GRU, False, True, False, "cpu", "ours"),
        (nn.LSTM, False, True, False, "cpu", "torch"),
        (nn.GRU, True, True, False, "cpu", "ours in half"),
        (nn.LSTM, True, True, False, "cpu", "ours in half"),
        (nn.GRU, True, False, False, "cpu", "ours"),
        (nn.LSTM, True, False, False, "cpu", "torch"),
        (nn.GRU, False, True, True, "cpu", "torch"),
        (nn.GRU, False, True, False, "meta", "torch"),
    ],
)
def test_a_layer_of_ours_runs_on_the_cpu_where_there_is_one(
    cell: type[nn.GRU | nn.LSTM],
    autocast: bool,
    kernels: bool,
    exported: bool,
    device: str,
    by: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def named(name: str) -> Any:
        return lambda *_: name

    monkeypatch.setattr(stacks, "WHOLE", {nn.GRU: named("ours")})
    monkeypatch.setattr(stacks, "HALF", dict.fromkeys(stacks.HALF, named("ours in half")))
    monkeypatch.setattr(stacks, "states_of", named("torch"))
    monkeypatch.setattr(stacks, "runs", lambda device: kernels)
    monkeypatch.setattr("torch.onnx.is_in_onnx_export", lambda: exported)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        found: Any = run(cell(3, 4), torch.zeros(1, 2, 3, device=device), nn.Identity())
    assert found == by


def test_a_stack_reads_one_way_unless_its_configuration_says_otherwise() -> None:
    class BothWays(StackConfig):
        @property
        def both_ways(self) -> bool:
            return True

    keys = {
        "depth": 1, "hidden_size": 5, "embedding_size": 4, "dropout": 0.0,
        "learning_rate": 0.1, "weight_decay": 0, "batch_size": 1,
    }  # fmt: skip
    assert StackConfig.model_validate(keys).both_ways is False
    assert stack(nn.GRU, BothWays.model_validate(keys)).bidirectional
