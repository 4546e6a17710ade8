"""Families that rank find what is in the data."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from families import CONFIGS, FAMILIES, asked, build, checkerboard, fit, scores, trained
from worlds import training_of

from recsweep.models import tables
from recsweep.models.protocol import Context, Portrayable
from recsweep.models.ranker import GradientRanker
from recsweep.models.registry import family
from recsweep.tasks.next_item.ranking import drop_seen
from recsweep.testing import Case, cases_of
from recsweep.testing.contract import a_restored_checkpoint_goes_on_bit_for_bit
from recsweep.testing.worlds import world

SAMPLED = [
    case
    for name in ("gru", "matrix_factorization", "wide_deep")
    for case in cases_of(family(name), "next_item")
    if case.config["loss"] in ("sampled_softmax", "bpr")
]


@pytest.mark.parametrize("family", ["gru", "sasrec", "wide_deep"])
def test_features_start_as_no_effect(family: str) -> None:
    state = build(f"{family} cross_entropy", world("next_item", {}).training).state()
    of_features = [state[name] for name in ("user", "item_in", "item_out", "event_in")]
    assert [len(weight) > 0 for weight in of_features] == [True] * 4
    assert not any(weight.any() for weight in of_features)


@pytest.mark.parametrize("case", [case for case in CONFIGS if not case.startswith("popularity")])
def test_the_missing_course_of_the_learners_colour_ranks_first(case: str) -> None:
    histories = asked([0, 1, 2], [3, 2, 0], [6, 4, 7], [5, 6, 7])
    found = scores(trained(case, checkerboard), histories)
    drop_seen(found, histories)
    assert found.argmax(1).tolist() == [3, 1, 5, 4]


@pytest.mark.parametrize("loss", ["bce", "gbce"])
def test_binary_losses_begin_with_the_odds_of_a_target_among_its_negatives(loss: str) -> None:
    config = {
        "factors": 4, "history_exponent": 0.5, "dropout": 0.0, "learning_rate": 0.01,
        "weight_decay": 0.0, "batch_size": 4, "window": 9, "loss": loss, "negatives": 50,
    }  # fmt: skip
    context = Context(training_of([[0, 1, 2]]), 0, torch.device("cpu"), "fp32")
    model = FAMILIES["matrix_factorization"].model(config, context)
    assert isinstance(model, GradientRanker)
    odds = model.network.bias.exp()
    torch.testing.assert_close(odds, torch.full_like(odds, 1 / 50))


@pytest.mark.parametrize("n_items", [4, 9])
def test_seen_is_what_came_before_each_place_in_long_histories_and_short_ones(n_items: int) -> None:
    row, length = torch.tensor([0, 0, 1]), torch.tensor([2, 5, 3])
    histories = replace(asked([3, 1, 3, 1, 0], [2, 2, 1, 0, 0]), row=row, length=length)
    makes_seen = torch.tensor([[False, True, True, True, True], [True] * 5])
    for which, first in ((None, {1, 3}), (makes_seen, {1})):
        found = torch.zeros(3, n_items)
        drop_seen(found, histories, which)
        seen = [set(row.nonzero().flatten().tolist()) for row in found == -torch.inf]
        assert seen == [first, {0, 1, 3}, {1, 2}]


def test_popularity_ranks_by_count() -> None:
    found = scores(fit("popularity", training_of([[0, 1, 1], [1, 2], [2, 1]])), asked([0], [2]))
    assert found.tolist() == [[1, 4, 2], [1, 4, 2]]


@pytest.mark.parametrize("case", [c for c in CONFIGS if FAMILIES[CONFIGS[c][0]].portrays])
def test_learners_of_one_colour_have_like_vectors_whoever_stands_beside_them(case: str) -> None:
    model = trained(case, checkerboard)
    assert isinstance(model, Portrayable)
    sequences = training_of([[0, 1, 2], [4, 5, 6, 7], [2, 3, 0, 1], [5, 6]], n_items=8).sequences
    found = model.learner_vectors(sequences)
    assert found.shape[0] == 4
    assert found.dtype == np.float32
    assert np.array_equal(found, model.learner_vectors(sequences))
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    alike = unit @ unit.T
    within = alike[0, 2] + alike[1, 3]
    assert within / 2 > (alike[0, 1] + alike[0, 3] + alike[2, 1] + alike[2, 3]) / 4
    alone = model.learner_vectors(training_of([[5, 6]], n_items=8).sequences)
    np.testing.assert_allclose(alone[0], found[3], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", ["gru cross_entropy", "lstm bpr"])
def test_a_networks_vector_is_the_state_that_it_scores_with(case: str) -> None:
    model = fit(case, checkerboard(), epochs=3)
    assert isinstance(model, GradientRanker)
    vectors = model.learner_vectors(training_of([[0, 1, 2], [5]], n_items=8).sequences)
    with torch.inference_mode():
        network = model.network
        expected = torch.from_numpy(vectors) @ network.catalogue().T + network.biases()
    torch.testing.assert_close(scores(model, asked([0, 1, 2], [5])), expected)


@pytest.mark.parametrize("case", [c for c in CONFIGS if FAMILIES[CONFIGS[c][0]].epochs is None])
def test_the_seed_decides_the_start(case: str) -> None:
    training, histories = checkerboard(), asked([0, 1])
    one, other = fit(case, training, 1, epochs=1), fit(case, training, 2, epochs=1)
    assert not torch.equal(scores(one, histories), scores(other, histories))


@pytest.mark.parametrize("case", SAMPLED, ids=str)
def test_steps_on_used_rows_alone_go_on_from_a_checkpoint_too(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SPARSE_FROM", 1)
    assert case.built().network.sparse
    a_restored_checkpoint_goes_on_bit_for_bit(case)
