"""Courses, learners and events on the way into a network, and courses on the way out."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from worlds import training_of

from recsweep.data.types import Training
from recsweep.models.network import Encoder, Network, Rows, relu_layers

KNOWN, COLD, DIM = 4, 2, 3


class Doubled(Encoder):
    """Twice what comes in, as states of another width."""

    dim = DIM

    def __init__(self, projects: bool = False, tied: bool = False) -> None:
        super().__init__()
        self.projects, self.tied, self.width = projects, tied, DIM + 1 if projects else DIM

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        return nn.functional.pad(2 * inputs, (0, self.width - DIM))


@dataclass(frozen=True)
class Asked:
    items: Tensor
    user_features: Tensor
    event_features: Tensor | None = None
    time: Tensor | None = None


def training(n_cold: int = COLD, features: bool = True, events: bool = True) -> Training:
    plain = training_of([[0, 1, 2], [3, 0]], n_items=KNOWN + n_cold)
    n = 2 if features else 0
    of_items = np.random.default_rng(0).normal(size=(KNOWN + n_cold, n)).astype(np.float32)
    of_users = np.zeros((2, n), np.float32)
    return replace(
        plain,
        n_cold=n_cold,
        item_features=of_items,
        event_columns=("dwell",) if events else (),
        sequences=replace(plain.sequences, features=of_users),
    )


def network_of(
    told: Training,
    encoder: Encoder | None = None,
    sparse: bool = False,
    embedding_dropout: float = 0.0,
) -> Network:
    torch.manual_seed(0)
    network = Network(encoder or Doubled(), told, sparse, embedding_dropout)
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return network


def rows(features: bool = True, events: bool = True, known: bool = False) -> Asked:
    generator = torch.Generator().manual_seed(1)
    items = torch.tensor([[0, 2, 1], [3, 3, 3] if known else [3, 5, 4]])
    of_users = torch.randn(2, 2 if features else 0, generator=generator)
    return Asked(items, of_users, torch.randn(2, 3, 1, generator=generator) if events else None)


def table(network: Network, free: Tensor, of_features: Tensor, n_cold: int) -> Tensor:
    """(n_items, DIM) by its plain definition: a cold item is the mean and what features say."""
    whole = torch.cat((free, free.mean(0).expand(n_cold, -1)))
    return whole + network.item_features @ of_features


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("n_cold", [0, COLD])
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("events", [False, True])
def test_a_state_is_made_of_the_courses_the_events_and_the_learner(
    sparse: bool, n_cold: int, trained: bool, events: bool
) -> None:
    network = network_of(training(n_cold, events=events), sparse=sparse).train(trained)
    asked = rows(events=events, known=trained or not n_cold)
    inputs = table(network, network.embedding, network.item_in, n_cold)[asked.items]
    if events:
        assert network.event_in is not None
        assert asked.event_features is not None
        inputs = inputs + asked.event_features * network.event_in
    expected = 2 * inputs + (asked.user_features @ network.user)[:, None]
    torch.testing.assert_close(network.states(asked), expected)


def test_states_are_projected_to_the_width_of_the_vectors() -> None:
    told = training(0, features=False, events=False)
    network, asked = network_of(told, Doubled(projects=True)), rows(False, False, known=True)
    inputs = nn.functional.pad(2 * network.embedding[asked.items], (0, 1))
    assert isinstance(network.project, nn.Linear)
    expected = inputs @ network.project.weight.T + network.project.bias
    torch.testing.assert_close(network.states(asked), expected)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_vectors_on_the_way_out_are_of_known_courses_in_training_and_of_all_when_asked(
    tied: bool, sparse: bool
) -> None:
    network = network_of(training(), Doubled(tied=tied), sparse)
    own = network.embedding if tied else network.output
    assert own is not None
    assert [id(each) for each in network.tables] == [id(network.embedding), id(own)][tied:]
    whole = table(network, own, network.item_out, COLD)
    some, other = torch.tensor([3, 0, 3]), torch.tensor([1])
    for found, items in zip(network.vectors(some, other), (some, other), strict=True):
        torch.testing.assert_close(found, whole[items])
    torch.testing.assert_close(network.catalogue(), whole[:KNOWN])
    torch.testing.assert_close(network.eval().catalogue(), whole)
    bias = network.bias
    torch.testing.assert_close(network.biases(), torch.cat((bias, bias.mean().expand(COLD))))


@pytest.mark.parametrize("sparse", [False, True])
def test_gradients_of_a_large_table_hold_the_used_rows_alone(sparse: bool) -> None:
    network = network_of(training(0), sparse=sparse)
    network.states(rows(known=True)).sum().backward()  # type: ignore[no-untyped-call]
    network.vectors(torch.tensor([1]))[0].sum().backward()  # type: ignore[no-untyped-call]
    for each, used in zip(network.tables, ([0, 1, 2, 3], [1]), strict=True):
        assert each.grad is not None
        assert each.grad.is_sparse is sparse
        assert each.grad.to_dense().any(1).nonzero().flatten().tolist() == used


def test_without_features_the_table_itself_is_ranked_by() -> None:
    network = network_of(training(0, features=False)).eval()
    assert network.output is not None
    with torch.inference_mode():
        assert network.catalogue() is network.output
    assert network.catalogue() is not network.output  # where a gradient may be asked for
    told = network_of(training(0)).eval()
    with torch.inference_mode():
        torch.testing.assert_close(
            told.catalogue(), table(told, told.tables[1], told.item_out, 0).detach()
        )


def test_a_dropped_course_is_missing_from_every_history_of_a_batch_in_training_alone() -> None:
    told = training(0, features=False, events=False)
    network, asked = network_of(told, embedding_dropout=0.5), rows(False, False, known=True)
    whole = 2 * network.embedding[asked.items]
    torch.testing.assert_close(network.eval().states(asked), whole)
    network.train()
    seen = set()
    for seed in range(20):
        torch.manual_seed(seed)
        share = network.states(asked) / whole
        kept: dict[int, float] = {}
        for item, own in zip(asked.items.flatten().tolist(), share.flatten(0, 1), strict=True):
            times = own.round(decimals=3).unique()
            assert len(times) == 1
            assert times.item() in (0, 2)
            assert kept.setdefault(item, times.item()) == times.item()
        seen.add(str(kept))
    assert len(seen) > 5


def test_features_and_biases_start_as_nothing_and_vectors_with_logits_of_unit_order() -> None:
    told = replace(training(0), n_items=4000)
    told = replace(told, item_features=np.ones((4000, 2), np.float32))
    network = Network(Doubled(), told, False, 0.0)
    assert network.output is not None
    assert network.event_in is not None
    for nothing in (network.bias, network.user, network.item_in, network.item_out):
        assert not nothing.any()
    assert not network.event_in.any()
    for vectors in (network.embedding, network.output):
        assert vectors.std().item() == pytest.approx(DIM**-0.5, rel=0.03)
    assert "item_features" not in network.state_dict()


def test_an_encoder_remembers_nothing_and_projects_unless_it_says_otherwise() -> None:
    encoder, last = Encoder(), torch.tensor([0])
    assert encoder.memory(last) is None
    assert encoder.recall(last, last) is None
    assert encoder.projects
    assert not encoder.tied


def test_relu_layers_lead_from_each_size_to_the_next() -> None:
    layers = relu_layers((5, 4, 2), 0.25)
    assert [type(layer) for layer in layers] == [nn.Linear, nn.ReLU, nn.Dropout] * 2
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    assert [(layer.in_features, layer.out_features) for layer in linear] == [(5, 4), (4, 2)]
    assert {layer.p for layer in layers if isinstance(layer, nn.Dropout)} == {0.25}
