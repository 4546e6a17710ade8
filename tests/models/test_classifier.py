"""Training by gradient for a probability, with a network that is a line."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from worlds import labelled, training_of

from recsweep.data.types import KINDS, Training
from recsweep.models import cases
from recsweep.models.cases import CaseBook, Cases, labels_of
from recsweep.models.classifier import LogOdds, after, classifier, deep_layers
from recsweep.models.gradient import GradientConfig
from recsweep.models.protocol import Context, Histories

CPU = torch.device("cpu")
LENGTHS = [[1, 2], [0], [3, 3, 3]]  # six examples, of which the odd ones are bought


class Line(LogOdds):
    def __init__(self, config: GradientConfig, training: Training) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5, 0.2]))
        self.dropout = nn.Dropout(0.9)

    def forward(self, cases: Cases) -> Tensor:
        logits: Tensor = self.dropout(cases.inputs) @ self.weight
        return logits

    def states(self, histories: Histories) -> Tensor:
        states: Tensor = self.dropout(histories.length[:, None].to(torch.bfloat16))
        return states


def world(bought: list[bool] | None = None) -> Training:
    examples = labelled(LENGTHS)
    if bought is not None:
        labels = replace(labels_of(examples), bought=np.array(bought))
        examples = replace(examples, labels=labels)
    training = training_of([[0, 0], [0], [0, 0, 0]], n_items=8)
    return replace(training, sequences=examples.histories, examples=examples)


def model_of(training: Training, **changes: Any) -> Any:
    values = {"learning_rate": 0.1, "weight_decay": 0.0, "batch_size": 9, **changes}
    config = GradientConfig.model_validate(values)
    return classifier(Line)(config, Context(training, 0, CPU, "fp32"))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize(
    ("bought", "share"),
    [
        ([True, False, False, False, False, False], 1 / 6),
        ([True] * 6, 1 - 0.5 / 6),  # as if half an example more were of the other answer
        ([False] * 6, 0.5 / 6),
    ],
)
def test_the_base_is_the_log_odds_of_trainings_share_of_yes(
    bought: list[bool], share: float
) -> None:
    base = model_of(world(bought)).network.base
    assert base.dtype == torch.float64
    assert base.item() == pytest.approx(math.log(share / (1 - share)), abs=1e-12)


def test_without_an_example_the_base_is_of_even_odds_until_a_state_says_better() -> None:
    model = model_of(world().without_learners())
    assert model.network.base == 0
    model.load_state(model_of(world([True] * 6)).state())
    assert model.network.base.item() == pytest.approx(math.log(11))


@pytest.mark.parametrize("weight_purchase", [1.0, 4.0])
def test_the_loss_is_the_weighted_binary_cross_entropy_and_the_base_is_weighted_too(
    weight_purchase: float,
) -> None:
    training = world()
    assert training.examples is not None
    kind = np.array([0, 0, 2, 2, 0, 2], np.int8)
    assert KINDS[2] == "purchase"
    training = replace(training, examples=replace(training.examples, kind=kind))
    model = model_of(training, weight_purchase=weight_purchase)
    model.network.eval()
    weight = np.where(kind == 2, weight_purchase, 1.0)
    weight /= weight.mean()
    share = weight[[1, 3, 5]].sum() / 6
    assert model.network.base.item() == pytest.approx(math.log(share / (1 - share)))
    (batch,) = model.training_batches(0)
    assert model.entries == 3
    assert sorted(batch.at.tolist()) == [0, 1, 2, 3, 4, 5]
    found, n = model.loss(batch)
    plain = []
    for example in range(6):
        chance = sigmoid(0.3 * example + model.network.base.item())  # 0.5 n - 0.2 n
        plain.append(-math.log(chance if example % 2 else 1 - chance) * weight[example])
    assert n == 6
    assert found.item() == pytest.approx(np.mean(plain), rel=1e-6)


@pytest.mark.parametrize("places", [1, 1 << 16])
def test_probabilities_are_in_the_order_of_the_book_and_of_the_network_at_rest(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "BLOCK_PLACES", places)
    training = world([True, False, False, False, False, False])
    model = model_of(training)
    model.network.train()
    assert training.examples is not None
    found = model.probability(CaseBook(training.examples, 8, CPU))
    expected = [sigmoid(0.3 * example - math.log(5)) for example in range(6)]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_learners_vector_is_the_networks_state_in_float32() -> None:
    found = model_of(world()).learner_vectors(training_of([[1, 2, 3], [1]]).sequences)
    assert found.dtype == np.float32
    assert found.tolist() == [[3], [1]]


def test_batches_hold_as_many_learners_as_the_configuration_says() -> None:
    model = model_of(world(), batch_size=2)
    assert sorted(len(each.histories.items) for each in model.training_batches(0)) == [1, 2]
    assert model.steps == 2


def test_after_an_event_stands_its_place_and_after_none_0() -> None:
    places = torch.arange(12.0).view(2, 3, 2) + 1
    row, length = torch.tensor([0, 1, 0, 1]), torch.tensor([0, 3, 1, 2])
    found = after(places, Histories(torch.zeros(2, 3), torch.zeros(2, 0), row, length))
    assert found.tolist() == [[0, 0], [11, 12], [1, 2], [9, 10]]


def test_deep_layers_end_in_one_number_that_starts_at_0() -> None:
    layers = deep_layers((5, 4, 3), 0.25)
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    sizes = [(layer.in_features, layer.out_features) for layer in linear]
    assert sizes == [(5, 4), (4, 3), (3, 1)]
    assert isinstance(layers[-1], nn.Linear)
    assert not layers(torch.randn(7, 5)).any()
    assert not layers[-1].weight.any()
