"""`gru`, `lstm` and their twins against torch's own layers."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import check_same_layers, classifier_of, events_of, half_mean, purchases, shaken
from families import CPU, FAMILIES, asked
from torch import Tensor, nn
from worlds import training_of

from recsweep.models.cases import CaseBook, Cases
from recsweep.models.families.recurrent import RecurrentEncoder, RecurrentLogOdds
from recsweep.models.network import Network
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker
from recsweep.models.registry import families_of

LAYERS: dict[str, object] = {
    "depth": 2, "hidden_size": 5, "embedding_size": 3, "dropout": 0.0, "learning_rate": 0.01,
    "weight_decay": 0.0, "batch_size": 4,
}  # fmt: skip
RANKS = LAYERS | {"loss": "cross_entropy", "window": 5, "tied_embeddings": False}
HALF = {"fading": "step", "fading_weight": 0.5}
CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}
QUERIES = [[0], [3, 1, 4], [2, 2, 0, 1]]


def ranking(family: str, **changes: object) -> GradientRanker:
    context = Context(training_of([[0, 1, 2, 3], [4, 2, 0]], 5), 0, CPU, "fp32")
    model = FAMILIES[family].model(RANKS | changes, context)
    assert isinstance(model, GradientRanker)
    return model


def encoder_of(network: Network) -> RecurrentEncoder:
    assert isinstance(network.encoder, RecurrentEncoder)
    return network.encoder


def norm(vectors: Tensor) -> Tensor:
    """Ba et al. 2016, eq. 3, with no gain."""
    centred = vectors - vectors.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize("norms", [False, True])
@pytest.mark.parametrize("family", ["gru", "lstm", "gru_unordered", "lstm_unordered"])
def test_a_score_is_the_last_state_by_the_course_and_a_twins_that_of_the_faded_mean(
    family: str, norms: bool
) -> None:
    kind, _, unordered = family.partition("_")
    model = ranking(family, layer_norm=norms, **(HALF if unordered else {}))
    network = model.network
    shaken(network)
    encoder = encoder_of(network)
    if norms:
        for each in (encoder.norm_in, encoder.norm_out):
            assert isinstance(each, nn.LayerNorm)
            each.reset_parameters()
    layers = CELLS[kind](3, 5, 2, batch_first=True)
    layers.load_state_dict(encoder.recurrence.state_dict())
    assert network.output is not None
    with torch.no_grad():
        expected = []
        for query in QUERIES:
            read = network.embedding[query]
            read = norm(read) if norms else read
            read = half_mean(read) if unordered else read
            state = layers(read[None])[0][0, -1]
            vector = network.project(norm(state) if norms else state)
            expected.append(network.output @ vector + network.bias)
    torch.testing.assert_close(model.score(asked(*QUERIES)), torch.stack(expected))


@pytest.mark.parametrize(("told", "before"), [(None, 0.25), (0.5, 0.5), (0.0, 0.0)])
def test_dropout_is_that_of_all_layers_unless_course_vectors_have_their_own(
    told: float | None, before: float
) -> None:
    encoder = encoder_of(ranking("gru", dropout=0.25, input_dropout=told).network)
    assert (encoder.input_dropout.p, encoder.dropout.p) == (before, 0.25)
    inputs = torch.ones(1, 4000, 3)
    torch.manual_seed(0)
    dropped = (encoder.train().read(inputs) == 0).float().mean()
    assert float(dropped) == pytest.approx(before, abs=0.02)
    states = encoder(inputs, asked([0] * 4000))
    assert float((states == 0).float().mean()) == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize("tied", [False, True])
def test_a_course_has_one_vector_where_they_are_tied(tied: bool) -> None:
    network = ranking("lstm", tied_embeddings=tied).network
    assert (network.output is None) is tied
    assert isinstance(encoder_of(network).norm_in, nn.Identity)


def network_of(family: str, **changes: object) -> tuple[RecurrentLogOdds, Cases]:
    """Without features, and questions of which some come after no event or after one."""
    fold, targets = purchases()
    model = classifier_of(family, LAYERS | changes, fold)
    shaken(model.network)
    assert isinstance(model.network, RecurrentLogOdds)
    (cases,) = CaseBook(targets, fold.n_items, CPU).blocks()
    return model.network.eval(), cases


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("gru", {}),
        ("lstm", {}),
        ("gru", {"bidirectional": True}),
        ("lstm", {"bidirectional": True}),
        ("gru_unordered", HALF),
        ("lstm_unordered", HALF),
    ],
)
def test_a_state_is_that_after_the_last_event_or_of_both_ends_or_of_the_faded_mean(
    family: str, changes: dict[str, object], depth: int
) -> None:
    network, cases = network_of(family, depth=depth, **changes)
    kind, _, unordered = family.partition("_")
    both = "bidirectional" in changes
    layers: Any = CELLS[kind](3, 5, depth, batch_first=True, bidirectional=both)
    layers.load_state_dict(network.layers.state_dict())
    queries = [*zip(cases.histories.row.tolist(), cases.histories.length.tolist(), strict=True)]
    assert {length for _, length in queries} >= {0, 1}
    with torch.no_grad():
        found = network.states(cases.histories)
        assert found.shape == (len(queries), 10 if both else 5)
        assert network(cases).shape == (len(queries),)
        for state, (row, length) in zip(found, queries, strict=True):
            expected = torch.zeros_like(state)
            if length:
                read = events_of(network, cases.histories, row, length)
                out = layers((half_mean(read) if unordered else read)[None])[0][0]
                expected = torch.cat((out[-1, :5], out[0, 5:]))
            torch.testing.assert_close(state, expected, atol=1e-5, rtol=1e-4)


def test_where_nobody_has_a_history_both_ways_end_at_zero() -> None:
    network, cases = network_of("gru", bidirectional=True)
    inputs = torch.randn(*cases.histories.items.shape, 3)
    none = replace(cases.histories, length=torch.zeros_like(cases.histories.length))
    assert network.read(inputs, none).tolist() == [[0.0] * 10] * len(cases.at)


@pytest.mark.parametrize("family", ["gru", "lstm"])
def test_a_network_and_its_twin_have_the_same_layers(family: str) -> None:
    fold, _ = purchases()
    pair = (family, f"{family}_unordered")
    check_same_layers(*(ranking(name).network for name in pair))
    check_same_layers(*(classifier_of(name, LAYERS, fold).network for name in pair))


@pytest.mark.parametrize("task", ["next_item", "purchase"])
def test_order_reaches_a_twins_answers_only_where_events_fade(task: str) -> None:
    config = RANKS if task == "next_item" else LAYERS
    for family in ("gru", "lstm"):
        assert families_of(task)[family].sees_order(config)
        twin = families_of(task)[f"{family}_unordered"]
        assert not twin.sees_order(config)
        assert twin.sees_order(config | HALF)


def test_states_do_not_depend_on_the_widths_of_a_batch() -> None:
    network, cases = network_of("lstm", bidirectional=True)
    inputs = torch.randn(*cases.histories.items.shape, 3)
    found = network.read(inputs, cases.histories)
    wider = nn.functional.pad(inputs, (0, 0, 0, 3), value=np.inf)
    torch.testing.assert_close(network.read(wider, cases.histories), found)
