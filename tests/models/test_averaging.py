"""A network whose weights are an average along training."""

from typing import Any

import numpy as np
import pytest
import torch
from families import CPU, FAMILIES
from torch import Tensor
from worlds import training_of

from recsweep.config.values import Value
from recsweep.models.averaging import SAMPLES
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
