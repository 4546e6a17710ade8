"""What networks that read events for a probability begin with, and what they read."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from purchases import fold_of, random_log
from torch import Tensor, nn

from recsweep.data.clock import DAY
from recsweep.data.types import UNKNOWN, Training
from recsweep.models.cases import CaseBook, examples_of, labels_of
from recsweep.models.classifier import after
from recsweep.models.event_odds import EventLogOdds, read_unordered
from recsweep.models.fading import FadingConfig
from recsweep.models.families.recurrent import RecurrentLogOdds
from recsweep.models.protocol import Histories
from recsweep.testing.worlds import world


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
    assert network.output.weight[:-1].std().item() == pytest.approx(0.01, rel=0.5)
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


class Summed(EventLogOdds):
    """The state is the sum of the embedded events."""

    def read(self, inputs: Tensor, histories: Histories) -> Tensor:
        return after(inputs.cumsum(1), histories)


def summed(training: Training) -> Summed:
    network = Summed(nn.Identity, training, embedding_size=3, width=3, hidden_size=2, dropout=0.5)
    torch.manual_seed(0)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return network.eval()


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("dated", [False, True])
def test_log_odds_are_a_product_and_relu_layers_of_all_that_is_known(
    features: bool, dated: bool
) -> None:
    """Worked out example by example and event by event."""
    training = world("purchase", {}, features).training
    examples = examples_of(training)
    random, sequences = np.random.default_rng(0), examples.histories
    shape = (len(sequences.item), training.item_features.shape[1])
    of_events = random.normal(size=shape).astype(np.float32)
    examples = replace(
        examples,
        histories=replace(sequences, item_features=of_events if dated else None),
        item=np.where(np.arange(len(examples)) % 5 == 0, UNKNOWN, examples.item),
    )
    network = summed(training)
    expected = []
    for n in range(len(examples)):
        first = sequences.offsets[examples.sequence[n]]
        events = range(first, first + examples.length[n])
        state = torch.zeros(3)
        for event in events:
            days = (sequences.time[event] - sequences.time[max(event - 1, first)]) / DAY
            of_course = of_events[event] if dated else training.item_features[sequences.item[event]]
            state = state + network.embedding.weight[sequences.item[event]]
            state = state + network.of_features.weight @ torch.from_numpy(of_course)
            state = state + network.of_kind.weight[sequences.kind[event]]
            state = state + network.of_gap.weight[:, 0] * math.log(1 + days)
            if network.of_events is not None:
                assert sequences.event_features is not None
                told = torch.from_numpy(sequences.event_features[event])
                state = state + network.of_events.weight @ told
        inputs = torch.from_numpy(labels_of(examples).inputs[n])
        known = examples.item[n] if examples.item[n] != UNKNOWN else training.n_items
        course = network.output.weight[known] + network.out_inputs.weight @ inputs
        product = (network.project.weight @ state) @ course
        deep = torch.cat((state, network.embedding.weight[known], inputs))
        for layer in (each for each in network.deep if isinstance(each, nn.Linear)):
            deep = layer(deep.relu() if layer is network.deep[-1] else deep)
        expected.append((product + deep[0]).item())
    found = torch.empty(len(examples))
    with torch.no_grad():
        for batch in CaseBook(examples, training.n_items, torch.device("cpu")).blocks():
            found[torch.from_numpy(batch.at)] = network(batch)
    torch.testing.assert_close(found, torch.tensor(expected), rtol=1e-4, atol=1e-4)
    assert (network.of_events is not None) is features


def test_times_that_fall_past_a_rows_end_spoil_no_gradient() -> None:
    network = summed(world("purchase", {}, features=False).training)
    asked = Histories(
        torch.zeros(1, 3, dtype=torch.int64),
        torch.zeros(1, 0),
        torch.tensor([0]),
        torch.tensor([2]),
        time=torch.tensor([[1, 2, -9]]) * DAY,
        kinds=torch.zeros(1, 3, dtype=torch.int64),
    )
    network.states(asked).sum().backward()  # type: ignore[no-untyped-call]
    for parameter in network.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()


def test_a_batch_of_nobody_with_a_history_has_states_of_0_that_nothing_reads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = summed(world("purchase", {}).training)
    monkeypatch.setattr(network, "read", None)
    asked = Histories(
        torch.zeros(2, 0, dtype=torch.int64),
        torch.zeros(2, 0),
        torch.tensor([0, 1, 1]),
        torch.zeros(3, dtype=torch.int64),
        event_features=torch.zeros(2, 0, 1),
        time=torch.zeros(2, 0, dtype=torch.int64),
        kinds=torch.zeros(2, 0, dtype=torch.int64),
    )
    assert network.states(asked).tolist() == [[0.0] * 3] * 3


def test_without_order_layers_read_the_faded_mean_of_a_querys_events_and_of_none_give_0() -> None:
    inputs = torch.tensor([[[2.0], [6.0], [1.0]], [[4.0], [8.0], [0.0]]])
    asked = Histories(
        torch.zeros(2, 3, dtype=torch.int64),
        torch.zeros(2, 0),
        torch.tensor([0, 1, 0, 1]),
        torch.tensor([2, 1, 0, 2]),
    )
    fading = FadingConfig(fading="step", fading_weight=0.5)
    seen = []

    def layers(means: Tensor) -> Tensor:
        seen.append(means.shape)
        return torch.cat((means + 1, -means), 2)

    found = read_unordered(layers, inputs, asked, fading)
    means = [(2 * 0.5 + 6) / 1.5, 4, None, (4 * 0.5 + 8) / 1.5]
    expected = [[0.0, 0.0] if mean is None else [mean + 1, -mean] for mean in means]
    torch.testing.assert_close(found, torch.tensor(expected))
    assert seen == [(4, 1, 1)]
