"""`sasrec` and its twin: what the blocks of `attention.py` are given, and what is made of them."""

import pytest
import torch
from by_hand import check_same_layers, classifier_of, events_of, half_mean, purchases, shaken
from families import CPU, FAMILIES, asked
from worlds import training_of

from recsweep.data.clock import DAY
from recsweep.models.attention import AttentionConfig, AttentionLayers
from recsweep.models.cases import CaseBook
from recsweep.models.families.sasrec import AttentionEncoder, AttentionLogOdds
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker
from recsweep.models.registry import families_of

LAYERS: dict[str, object] = {
    "block": "pre_norm", "depth": 2, "heads": 2, "embedding_size": 4, "positions": "time",
    "dropout": 0.0, "window": 3, "learning_rate": 0.01, "weight_decay": 0.0, "batch_size": 4,
}  # fmt: skip
RANKS = LAYERS | {"loss": "cross_entropy", "tied_embeddings": False, "positions": "learned"}
HALF = {"fading": "step", "fading_weight": 0.5}
QUERIES = [[0], [3, 1, 4], [2, 2, 0, 1, 3]]
both_families = pytest.mark.parametrize("family", ["sasrec", "sasrec_unordered"])


def ranking(family: str, **changes: object) -> GradientRanker:
    context = Context(training_of([[0, 1, 2, 3], [4, 2, 0]], 5), 0, CPU, "fp32")
    model = FAMILIES[family].model(RANKS | changes, context)
    assert isinstance(model, GradientRanker)
    return model


def blocks_of(layers: AttentionLayers, config: dict[str, object]) -> AttentionLayers:
    """The same weights in layers of their own."""
    own = {name: config[name] for name in AttentionConfig.model_fields if name in config}
    found = AttentionLayers(AttentionConfig.model_validate(own))
    found.load_state_dict(layers.state_dict())
    return found.eval()


@both_families
def test_a_score_is_the_blocks_last_state_by_the_course(family: str) -> None:
    unordered = family == "sasrec_unordered"
    model = ranking(family, **(HALF if unordered else {}))
    network = model.network
    shaken(network)
    assert isinstance(network.encoder, AttentionEncoder)
    layers = blocks_of(network.encoder.layers, RANKS)
    assert network.output is not None
    with torch.no_grad():
        expected = []
        for query in QUERIES:
            read = network.embedding[query] * 2  # the root of 4: of unit order
            state = layers((half_mean(read) if unordered else read)[None])[0, -1]
            expected.append(network.output @ state + network.bias)
    torch.testing.assert_close(model.score(asked(*QUERIES)), torch.stack(expected))


def test_the_times_of_events_reach_a_networks_scores_where_positions_are_of_time() -> None:
    model = ranking("sasrec", positions="time")
    shaken(model.network)
    found = asked([0, 1, 2])
    when = torch.tensor([[0, DAY, 3 * DAY]])
    later = torch.tensor([[0, DAY, 300 * DAY]])
    scores = [
        model.score(type(found)(found.items, found.user_features, found.row, found.length, time=t))
        for t in (when, when, later)
    ]
    assert torch.equal(scores[0], scores[1])
    assert not torch.allclose(scores[0], scores[2])


@pytest.mark.parametrize("tied", [False, True])
def test_a_course_has_one_vector_where_they_are_tied(tied: bool) -> None:
    assert (ranking("sasrec", tied_embeddings=tied).network.output is None) is tied


def test_dropout_meets_inputs_of_unit_length() -> None:
    encoder = ranking("sasrec", dropout=0.25).network.encoder
    assert isinstance(encoder, AttentionEncoder)
    torch.manual_seed(0)
    found = encoder.train().embedded(torch.full((1, 4000, 4), 0.5))
    assert sorted({*found.flatten().tolist()}) == pytest.approx([0, 1 / 0.75])
    assert float((found == 0).float().mean()) == pytest.approx(0.25, abs=0.02)


@both_families
def test_a_state_before_a_purchase_is_the_blocks_after_its_last_event(family: str) -> None:
    unordered = family == "sasrec_unordered"
    config = LAYERS | (HALF if unordered else {})
    fold, targets = purchases()
    network = classifier_of(family, config, fold).network.eval()
    shaken(network)
    assert isinstance(network, AttentionLogOdds)
    assert isinstance(network.layers, AttentionLayers)
    layers = blocks_of(network.layers, config)
    (cases,) = CaseBook(targets, fold.n_items, CPU).blocks()
    histories = cases.histories
    with torch.no_grad():
        found = network.states(histories)
        rows, lengths = histories.row.tolist(), histories.length.tolist()
        for n, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            expected = torch.zeros(4)
            if length:
                read = events_of(network, histories, row, length)
                if unordered:
                    expected = layers(half_mean(read)[None])[0, -1]
                else:
                    assert histories.time is not None
                    time = histories.time[row, :length][None]
                    expected = layers(read[None], time)[0, -1]
            torch.testing.assert_close(found[n], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("task", ["next_item", "purchase"])
def test_order_reaches_the_twins_answers_only_where_events_fade(task: str) -> None:
    config = RANKS if task == "next_item" else LAYERS
    assert families_of(task)["sasrec"].sees_order(config)
    twin = families_of(task)["sasrec_unordered"]
    assert not twin.sees_order(config)
    assert twin.sees_order(config | HALF)


def test_the_network_and_its_twin_have_the_same_layers() -> None:
    fold, _ = purchases()
    pair = ("sasrec", "sasrec_unordered")
    check_same_layers(*(ranking(name).network for name in pair))
    check_same_layers(*(classifier_of(name, LAYERS, fold).network for name in pair))
