"""What networks that read events for a probability begin with."""

import torch
from purchases import fold_of, random_log
from torch import nn

from recsweep.models.event_odds import EventLogOdds


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
