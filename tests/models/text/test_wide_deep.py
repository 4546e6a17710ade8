"""Wide & deep over texts, against its definition by plain loops."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from by_hand import relu, shaken
from labelled_texts import TEXTS, plain_parts, texts, training_on
from scipy.special import softmax

from recsweep.data.types import Float64
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.models.text.network import GradientText
from recsweep.models.text.texts import from_tensor
from recsweep.models.text.wide_deep import WideDeepText

CONFIG: dict[str, Any] = {
    "units": "words", "least_texts": 2, "longest_text": 2, "embedding_size": 3, "dropout": 0.0,
    "hidden_size": 4, "depth": 2, "learning_rate": 0.01, "wide_learning_rate": 0.1,
    "weight_decay": 0.0, "batch_size": 9,
}  # fmt: skip
KNOWN = ("a", "b", "c")  # and no pair: each stands in one text


def model_of(**changes: Any) -> GradientText:
    context = Context(training_on(texts()), 0, torch.device("cpu"), "fp32")
    model = families_of("text")["wide_deep"].model(CONFIG | changes, context)
    assert isinstance(model, GradientText)
    return model


def terms_of(text: str) -> list[str]:
    words = text.split()
    return words + [f"{one} {other}" for one, other in pairwise(words)]


def wide_part(state: dict[str, Float64], text: str, known: tuple[str, ...]) -> Float64:
    """TF-IDF of all the text's terms, of length one, by the weights of each."""
    values = []
    for term in known:
        count = terms_of(text).count(term)
        held = sum(term in terms_of(each) for each in TEXTS)
        rare = math.log((1 + len(TEXTS)) / (1 + held)) + 1
        values.append((1 + math.log(count)) * rare if count else 0.0)
    size = math.sqrt(sum(value**2 for value in values))
    return (np.array(values) / (size or 1)) @ state["wide"]


def test_logits_are_those_of_both_parts_together() -> None:
    for least, known in ((2, KNOWN), (1, ("a", "a b", "b", "b a", "b c", "c", "c a", "c c"))):
        model = model_of(least_texts=least)
        state = shaken(model.network)
        assert isinstance(model.network, WideDeepText)
        assert from_tensor(model.network.wide_terms) == known
        expected = []
        for text in TEXTS:
            parts = plain_parts(text, KNOWN, 2)
            read = state["embedding"][parts].mean(0) if parts else np.zeros(3)
            for n in (0, 3):
                read = relu(state[f"deep.{n}.weight"], state[f"deep.{n}.bias"], read)
            expected.append(read @ state["output"] + state["bias"] + wide_part(state, text, known))
        found = model.probabilities(texts())
        np.testing.assert_allclose(found, softmax(expected, 1), rtol=1e-5)


def test_layers_are_as_many_and_as_large_as_configured_and_weights_begin_at_none() -> None:
    state = model_of(depth=3).state()
    sizes = [tuple(state[f"deep.{n}.weight"].shape) for n in (0, 3, 6)]
    assert sizes == [(4, 3), (4, 4), (4, 4)]
    assert state["output"].shape == (4, 2)
    assert state["wide"].tolist() == [[0, 0]] * 3
    assert {*WideDeepText.sized_by_training} == {
        name for name in state if not name.startswith("deep") and name != "chinese"
    }
