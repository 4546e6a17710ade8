"""What every network that reads texts has, around a middle that takes the mean of its parts."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import shaken
from labelled_texts import TEXTS, plain_parts, texts, training_on
from scipy.special import log_softmax, softmax
from torch import Tensor

from recsweep.data.types import Float64, Training
from recsweep.models.protocol import Context
from recsweep.models.text.batches import TextBatch
from recsweep.models.text.network import (
    GradientText,
    TextNetwork,
    TextNetworkConfig,
    text_classifier,
)
from recsweep.models.text.texts import Reading, Texts, WordVectors, as_tensor, unlabelled

CONFIG: dict[str, Any] = {
    "units": "words", "least_texts": 1, "longest_text": 2, "embedding_size": 3, "dropout": 0.0,
    "learning_rate": 0.01, "weight_decay": 0.0, "batch_size": 9,
}  # fmt: skip
INPUTS = np.linspace(0, 1, 12, dtype=np.float32).reshape(6, 2)
GIVEN = texts(inputs=INPUTS)
CPU = torch.device("cpu")


class Means(TextNetwork):
    """The mean of a text's parts; 0 of none."""

    def __init__(self, config: TextNetworkConfig, training: Training) -> None:
        super().__init__(config, training, config.embedding_size)

    def states(self, inputs: Tensor, batch: TextBatch) -> Tensor:
        total = (inputs * batch.inside()[..., None]).sum(1)
        return total / batch.length.clamp(min=1)[:, None]


def model_of(given: Texts = GIVEN, days: list[float] | None = None, **changes: Any) -> GradientText:
    config = TextNetworkConfig.model_validate(CONFIG | changes)
    context = Context(training_on(given, days), 0, CPU, "fp32")
    return text_classifier(Means)(config, context)


def plain_logits(state: dict[str, Float64], terms: str, vectors: Float64) -> Float64:
    """(n_texts, n_classes) of GIVEN, whose first two words are read."""
    found = []
    for text, known in zip(TEXTS, INPUTS, strict=True):
        parts = plain_parts(text, terms.split(), 2)
        mean = vectors[parts].mean(0) if parts else np.zeros(vectors.shape[1])
        found.append(np.concatenate((mean, known)) @ state["output"] + state["bias"])
    return np.array(found)


def test_probabilities_are_those_of_states_and_inputs_by_one_layer() -> None:
    model = model_of(least_texts=3)
    state = shaken(model.network)
    logits = plain_logits(state, "a b", state["embedding"])  # "c" stands in two texts
    np.testing.assert_allclose(model.probabilities(GIVEN), softmax(logits, 1), rtol=1e-5)


def test_before_training_a_label_is_as_likely_as_its_share_of_texts_and_half_a_text() -> None:
    three = model_of(texts(answer=(0, 1, 1, 0, 2, 1), classes=("a", "b", "c"), inputs=INPUTS))
    assert three.network.bias.exp().tolist() == pytest.approx([2.5 / 7.5, 3.5 / 7.5, 1.5 / 7.5])


def test_the_vectors_of_others_reach_it_through_a_map_that_is_trained() -> None:
    held = WordVectors(("a", "c"), np.array([[1, 1, 1, 1], [-1, 1, -1, 1]], np.float32))
    model = model_of(texts(inputs=INPUTS, vectors=held))
    state = shaken(model.network)
    assert state["embedding"].shape == (4, 3)
    known = np.array([[0] * 4, [1] * 4, [0] * 4, [-1, 1, -1, 1]])  # none, a, b and c
    logits = plain_logits(state, "a b c", known @ state["embedding"])
    np.testing.assert_allclose(model.probabilities(GIVEN), softmax(logits, 1), rtol=1e-5)
    assert model.sparse_tables() == ()


def test_at_first_it_says_how_frequent_labels_are_smoothed_by_half_a_text_each() -> None:
    model = model_of()
    expected = [(2 + 0.5) / (6 + 1), (4 + 0.5) / (6 + 1)]
    np.testing.assert_allclose(model.probabilities(GIVEN), [expected] * 6, rtol=1e-6)
    three = model_of(texts(classes=("no", "yes", "never")))
    expected = [2.5 / 7.5, 4.5 / 7.5, 0.5 / 7.5]
    np.testing.assert_allclose(three.probabilities(texts()), [expected] * 6, rtol=1e-6)


def test_at_first_vectors_are_small_and_unknown_parts_have_none() -> None:
    many = texts([" ".join(f"w{n}" for n in range(60))] * 2, [0, 1])
    state = model_of(many, embedding_size=50).state()
    assert state["embedding"].shape == (61, 50)
    assert not state["embedding"][0].any()
    assert 0.09 < float(state["embedding"][1:].std()) < 0.11
    held = WordVectors(("w1",), np.ones((1, 100), np.float32))
    state = model_of(texts(["w1"], [0], vectors=held), embedding_size=50).state()
    assert 0.009 < float(state["embedding"].std()) < 0.011  # as large, for a hundred values each


def test_a_state_holds_labels_and_terms_and_says_what_grows_with_training() -> None:
    model = model_of()
    state = model.state()
    assert state["classes"].tolist() == as_tensor(("no", "yes")).tolist()
    assert state["terms"].tolist() == as_tensor(("a", "b", "c")).tolist()
    assert not state["chinese"]
    assert state["vectors"].shape == (0, 0)
    assert set(TextNetwork.sized_by_training) == {*state} - {"chinese"}
    assert model.network.reading() == Reading("words", 1, chinese=False)
    assert model.network.reading(2) == Reading("words", 2, chinese=False)
    assert model.network.rows(GIVEN) is None


def test_a_texts_loss_is_its_labels_cross_entropy_times_its_weight() -> None:
    days: list[float] = [0, 1, 2, 3, 4, 5]
    model = model_of(GIVEN, days, training_fading="time", training_half_life_days=2.0)
    state = shaken(model.network)
    (batch,) = model.training_batches(0)
    found, count = model.loss(batch)
    weights = 2.0 ** (-(5 - np.array(days)) / 2)
    weights /= weights.mean()
    logits = plain_logits(state, "a b c", state["embedding"])
    of_texts = -log_softmax(logits, 1)[np.arange(6), GIVEN.answer]
    assert count == 6
    assert float(found.detach()) == pytest.approx((weights * of_texts).mean(), rel=1e-5)
    plain = model_of()
    plain.load_state(model.state())
    (batch,) = plain.training_batches(0)
    unweighted, _ = plain.loss(batch)
    assert float(unweighted.detach()) == pytest.approx(of_texts.mean(), rel=1e-5)


def test_an_epoch_is_of_all_texts_in_batches_of_the_configured_size() -> None:
    model = model_of(batch_size=4)
    assert (model.entries, model.steps) == (6, 2)
    assert sorted(len(batch.at) for batch in model.training_batches(0)) == [2, 4]
    assert model.fused()
    (table,) = model.sparse_tables()
    assert table is model.network.embedding


def test_texts_are_laid_out_once_for_as_long_as_they_are_there() -> None:
    model = model_of()
    assert model._book(GIVEN) is model._book(GIVEN)
    other = unlabelled(np.array(["a"], object), ("no", "yes"), np.zeros((1, 2), np.float32))
    assert model._book(other) is not model._book(GIVEN)
    assert len(model._books) == 2
    del other
    assert len(model._books) == 1


def test_a_network_that_is_asked_does_not_drop_anything() -> None:
    model = model_of(dropout=0.5)
    shaken(model.network)
    model.network.train()
    first = model.probabilities(GIVEN)
    np.testing.assert_array_equal(model.probabilities(GIVEN), first)
    (batch,) = model.training_batches(0)
    model.network.train()
    with torch.no_grad():
        assert not torch.equal(*(model.network(batch) for _ in range(2)))
    assert math.isfinite(model.fit_epoch())
