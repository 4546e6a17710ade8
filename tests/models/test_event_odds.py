"""What networks that read events for a probability begin with, and what they read."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from purchases import fold_of, random_log
from torch import nn

from recsweep.models.event_odds import EventLogOdds
from recsweep.models.families.recurrent import RecurrentLogOdds


def test_what_is_not_known_adds_nothing_and_inputs_say_nothing_of_a_course_at_first() -> None:
    training = fold_of(random_log(1)).training
    network = EventLogOdds(
        nn.Identity, training, embedding_size=4, width=4, hidden_size=3, dropout=0.0
    )
    for layer in (network.of_features, network.of_gap, network.project, network.out_inputs):
        assert not layer(torch.zeros(1, layer.in_features)).any()
    assert not network.embedding.weight[training.n_items].any()
    assert not network.output.weight[training.n_items].any()
    assert not network.out_inputs.weight.any()
    assert "item_features" not in network.state_dict()


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
def test_both_ways_are_the_last_layers_from_either_end_of_a_history(
    cell: type[nn.GRU | nn.LSTM],
) -> None:
    config: Any = SimpleNamespace(
        embedding_size=3, hidden_size=5, depth=2, dropout=0.0, both_ways=True
    )
    network = RecurrentLogOdds(cell, config, fold_of(random_log(1)).training)
    inputs = torch.randn(1, 4, 3)
    asked: Any = SimpleNamespace(row=torch.tensor([0, 0, 0]), length=torch.tensor([3, 0, 1]))
    found = network.read(inputs, asked)
    assert not found[1].any()
    for n, length in ((0, 3), (2, 1)):
        states = network.layers(inputs[:, :length])[0][0]
        torch.testing.assert_close(found[n], torch.cat((states[-1, :5], states[0, 5:])))
