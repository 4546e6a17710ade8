"""Networks that read texts by the word vectors of others."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from recsweep.data.types import Fold, Training
from recsweep.models.cases import examples_of
from recsweep.models.protocol import Context
from recsweep.models.registry import families, families_of
from recsweep.models.text.texts import WordVectors, labelled
from recsweep.testing import cases_of
from recsweep.testing.text_worlds import text_world

CPU = torch.device("cpu")
WORDS = ("awful", "fine", "lovely", "unheard")
VECTORS = WordVectors(WORDS, np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32))


def fold() -> Fold:
    return text_world("text", features=False)


def with_vectors(fold: Fold, vectors: WordVectors = VECTORS) -> Training:
    examples = examples_of(fold.training)
    texts = replace(labelled(examples), vectors=vectors)
    return replace(fold.training, examples=replace(examples, labels=texts))


def built(family: str, training: Training) -> Any:
    build = families_of("text")[family]
    config = {**next(cases_of(families()[family], "text")).config, "units": "words"}
    return build.model(config | {"least_texts": 1}, Context(training, 0, CPU, "fp32"))


@pytest.mark.parametrize("family", ["gru", "lstm", "wide_deep"])
def test_vectors_of_others_are_read_and_not_trained_and_lie_in_the_state(family: str) -> None:
    model = built(family, with_vectors(fold()))
    before = model.state()
    known = "".join(map(chr, before["terms"].tolist())).split("\n")
    place = known.index("fine") + 1
    scaled = before["vectors"][place] / torch.from_numpy(VECTORS.values[1])
    torch.testing.assert_close(scaled, scaled[:1].expand(5))  # but for a scale, as they were given
    assert not before["vectors"][0].any()  # of what training doesn't know
    assert not before["vectors"][known.index("dull") + 1].any()  # of what has no vector
    model.fit_epoch()
    after = model.state()
    assert torch.equal(after["vectors"], before["vectors"])
    assert not torch.equal(after["embedding"], before["embedding"])
    asked = labelled(fold().validation)
    alone = built(family, fold().training.without_learners())
    alone.load_state(load(save(after)))
    np.testing.assert_array_equal(alone.probabilities(asked), model.probabilities(asked))


def test_other_vectors_give_other_answers() -> None:
    asked = labelled(fold().validation)
    other = replace(VECTORS, values=VECTORS.values[::-1].copy())
    one, two = (built("gru", with_vectors(fold(), vectors)) for vectors in (VECTORS, other))
    for model in (one, two):
        for _ in range(3):
            model.fit_epoch()
    assert not np.array_equal(one.probabilities(asked), two.probabilities(asked))
