import warnings

import pytest
import torch
from torch import nn

from recsweep.models.stacks import StackConfig, run, stack


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
