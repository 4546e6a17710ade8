"""Recurrent networks over a text: both ways, pooled, and no further than they read."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from by_hand import shaken
from torch import nn

from recsweep.data.types import Fold
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.models.text.batches import TextBatch
from recsweep.models.text.recurrent import RecurrentText, TextStackConfig
from recsweep.models.text.texts import labelled
from recsweep.testing.text_worlds import text_world

CONFIG = {
    "units": "words", "least_texts": 1, "longest_text": 4, "depth": 1, "hidden_size": 5,
    "embedding_size": 3, "bidirectional": True, "pooling": "last", "dropout": 0.0,
    "learning_rate": 0.01, "weight_decay": 0.0, "batch_size": 8,
}  # fmt: skip


def fold() -> Fold:
    return text_world("text", features=False)


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
def test_both_ways_is_torchs_bidirectional_layer(cell: type[nn.GRU | nn.LSTM]) -> None:
    network = RecurrentText(cell, TextStackConfig.model_validate(CONFIG), fold().training).eval()
    assert network.backwards is not None
    reference = cell(3, 5, batch_first=True, bidirectional=True)
    turned = {f"{name}_reverse": value for name, value in network.backwards.state_dict().items()}
    reference.load_state_dict({**network.layers.state_dict(), **turned})
    inputs, length = torch.randn(2, 4, 3), torch.tensor([4, 2])
    nothing = torch.zeros(2, 0)
    batch = TextBatch(torch.zeros(2, 4, dtype=torch.int64), length, nothing, length, np.arange(2))
    with torch.inference_mode():
        found = network.states(inputs, batch)
        for n, size in enumerate(length.tolist()):
            states = reference(inputs[n : n + 1, :size])[0][0]
            expected = torch.cat((states[-1, :5], states[0, 5:]))
            torch.testing.assert_close(found[n], expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_nothing_past_the_longest_text_reaches_an_answer(pooling: str) -> None:
    config = {**CONFIG, "pooling": pooling}
    context = Context(fold().training, 0, torch.device("cpu"), "fp32")
    model = families_of("text")["gru"].model(config, context)
    model.fit_epoch()
    texts = labelled(fold().validation)
    words = [text.split() for text in texts.text]
    longer = np.array([" ".join([*each, "awful"]) for each in words], object)
    found, known = model.probabilities(replace(texts, text=longer)), model.probabilities(texts)
    whole = np.array([len(each) >= 4 for each in words])
    assert whole.any()
    np.testing.assert_allclose(found[whole], known[whole], rtol=1e-5)
    assert not np.allclose(found[~whole], known[~whole])


@pytest.mark.parametrize("family", ["gru", "lstm"])
def test_a_step_moves_and_decays_the_vectors_that_its_batch_has_and_no_others(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = Context(fold().training, 0, torch.device("cpu"), "fp32")
    config = {**CONFIG, "longest_text": 1, "batch_size": 2, "weight_decay": 0.5}
    model = families_of("text")[family].model(config, context)
    batch = next(model.training_batches(0))
    monkeypatch.setattr(model, "training_batches", lambda seed: iter([batch]))
    before = model.state()["embedding"].clone()
    for _ in range(2):  # momentum, too, leaves the others where they are
        model.fit_epoch()
    moved = (model.state()["embedding"] != before).any(1).nonzero()[:, 0]
    assert set(moved.tolist()) == set(batch.parts.unique().tolist()) < set(range(len(before)))


@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
def test_a_text_is_the_last_the_mean_or_the_greatest_of_its_own_states(
    cell: type[nn.GRU | nn.LSTM], pooling: str, both_ways: bool
) -> None:
    config = {**CONFIG, "pooling": pooling, "bidirectional": both_ways, "depth": 2}
    network = RecurrentText(cell, TextStackConfig.model_validate(config), fold().training).eval()
    shaken(network)
    assert (network.backwards is not None) is both_ways
    assert len(network.output) == (10 if both_ways else 5)
    stacks = [network.layers] if network.backwards is None else [network.layers, network.backwards]
    references = []
    for each in stacks:
        reference = cell(3, 5, 2, batch_first=True)
        reference.load_state_dict(each.state_dict())
        references.append(reference)
    inputs, length = torch.randn(4, 4, 3), torch.tensor([4, 2, 1, 0])
    nothing = torch.zeros(4, 0)
    batch = TextBatch(torch.zeros(4, 4, dtype=torch.int64), length, nothing, length, np.arange(4))
    with torch.inference_mode():
        found = network.states(inputs, batch)
        for n, size in enumerate(length.tolist()):
            expected = [torch.zeros(5)] * len(references)
            for way, reference in enumerate(references if size else []):
                read = inputs[n : n + 1, :size]
                states = reference(read.flip(1) if way else read)[0][0]
                pooled = {"last": states[-1], "mean": states.mean(0), "max": states.amax(0)}
                expected[way] = pooled[pooling]
            torch.testing.assert_close(found[n], torch.cat(expected), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_an_empty_text_leaves_every_gradient_finite(pooling: str) -> None:
    config = {**CONFIG, "pooling": pooling}
    network = RecurrentText(nn.GRU, TextStackConfig.model_validate(config), fold().training)
    inputs, length = torch.randn(2, 4, 3, requires_grad=True), torch.tensor([4, 0])
    nothing = torch.zeros(2, 0)
    batch = TextBatch(torch.zeros(2, 4, dtype=torch.int64), length, nothing, length, np.arange(2))
    network.states(inputs, batch).sum().backward()  # type: ignore[no-untyped-call]
    assert inputs.grad is not None
    assert inputs.grad.isfinite().all()
    assert not inputs.grad[1].any()
