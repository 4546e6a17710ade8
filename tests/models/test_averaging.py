"""A network whose weights are an average along training."""

from typing import Any

import numpy as np
import pytest
import torch
from families import CPU, FAMILIES
from torch import Tensor, nn
from worlds import training_of

from recsweep.config.values import Value
from recsweep.models.averaging import SAMPLES, WeightAverage
from recsweep.models.gradient import GradientModel
from recsweep.models.protocol import Context

RANDOM = np.random.default_rng(0)
TRAINING = training_of([RANDOM.integers(0, 12, 15).tolist() for _ in range(20)])
GRU: dict[str, Value] = {
    "depth": 1, "hidden_size": 8, "embedding_size": 6, "dropout": 0.2, "tied_embeddings": False,
    "loss": "cross_entropy", "learning_rate": 0.01, "weight_decay": 0.01, "batch_size": 4,
    "window": 9,
}  # fmt: skip
AVERAGED: dict[str, Value] = {"weight_ema_epochs": 0.5}


def model_of(config: dict[str, Value]) -> Any:
    return FAMILIES["gru"].model(config, Context(TRAINING, 0, CPU, "fp32"))


def weights(model: Any) -> list[Tensor]:
    return [each.detach().clone() for each in model.network.parameters()]


def test_the_average_is_its_plain_definition_and_training_does_not_notice_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain, averaged = model_of(GRU), model_of(GRU | AVERAGED)
    trail: list[list[Tensor]] = []
    step = GradientModel._step

    def recorded(self: GradientModel[Any, Any]) -> Tensor:
        norm = step(self)
        trail.append(weights(self))
        return norm

    monkeypatch.setattr(GradientModel, "_step", recorded)
    for _ in range(3):
        plain.fit_epoch()
    alone, trail = trail, []
    for _ in range(3):
        averaged.fit_epoch()
    assert all(
        torch.equal(a, b) for one, other in zip(alone, trail, strict=True)
        for a, b in zip(one, other, strict=True)
    )  # fmt: skip
    assert plain.steps < SAMPLES  # so that every step is taken in
    expected = [each.double() for each in trail[0]]
    for n, taken in enumerate(trail[1:], start=2):
        share = max(1 / (0.5 * SAMPLES), 2 / (n + 1))
        expected = [(1 - share) * e + share * w for e, w in zip(expected, taken, strict=True)]
    for mean, own in zip(expected, weights(averaged), strict=True):
        np.testing.assert_allclose(own, mean, rtol=1e-5, atol=1e-7)


def number(value: float = 0.0) -> nn.Parameter:
    return nn.Parameter(torch.tensor([value]))


def moved(average: WeightAverage, own: nn.Parameter, values: list[float]) -> None:
    """An epoch in which the steps leave these values."""
    average.begin()
    for value in values:
        own.data.fill_(value)
        average.take()
    average.end()


@pytest.mark.parametrize(
    ("epochs", "expected"),
    [
        (1.0, [8.0, 8 - 5 * 2 / 3, 8 - 5 * 2 / 3 + (6 - 8 + 5 * 2 / 3) / 2]),
        (2 / SAMPLES, [8.0, 8 - 5 * 2 / 3, 8 - 5 * 2 / 3 + (6 - 8 + 5 * 2 / 3) / 2]),
        (1.25 / SAMPLES, [8.0, 8 - 5 * 0.8, 4 + 2 * 0.8]),
        (0.5 / SAMPLES, [8.0, 3.0, 6.0]),  # reaches back less than a sample: the last weights
    ],
)
def test_the_nth_weights_count_2_of_n_and_1_or_their_share_of_the_epochs(
    epochs: float, expected: list[float]
) -> None:
    own = number()
    average = WeightAverage([own], epochs)
    for value, mean in zip((8.0, 3.0, 6.0), expected, strict=True):
        moved(average, own, [value])
        assert own.item() == pytest.approx(mean)


def test_training_goes_on_from_its_own_weights_and_what_is_frozen_is_left_alone() -> None:
    own, frozen = number(), number(5.0)
    frozen.requires_grad_(False)
    average = WeightAverage([frozen, own], 1.0)
    moved(average, own, [4.0, 1.0])
    assert own.item() == pytest.approx(4 - 3 * 2 / 3)
    average.begin()
    assert own.item() == 1
    average.end()
    assert own.item() == pytest.approx(2)
    assert frozen.item() == 5
    assert set(average.checkpoint()) == {"taken", "training/0"}


def test_an_epoch_without_a_sample_changes_nothing() -> None:
    own = number(3.0)
    average = WeightAverage([own], 1.0)
    moved(average, own, [])
    assert own.item() == 3
    assert average.checkpoint() == {"taken": torch.tensor(0)}
    fresh = WeightAverage([own], 1.0)
    fresh.restore(average.checkpoint())
    moved(fresh, own, [])
    assert own.item() == 3


def test_an_average_goes_on_from_a_checkpoint_which_is_a_copy() -> None:
    own, other = number(), number()
    average, restored = WeightAverage([own], 1.0), WeightAverage([other], 1.0)
    moved(average, own, [4.0, 1.0])
    kept = average.checkpoint()
    other.data.copy_(own)
    restored.restore(kept)
    for each, parameter in ((average, own), (restored, other)):
        moved(each, parameter, [9.0, 2.0])
    assert own.item() == pytest.approx(other.item())
    assert kept["training/0"].item() == 1
    assert int(kept["taken"]) == 2
    assert int(restored.checkpoint()["taken"]) == 4
