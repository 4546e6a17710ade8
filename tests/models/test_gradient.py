"""What a step does to which parameters."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from recsweep.models.registry import families
from recsweep.testing import cases_of

DECAY, RATE, WIDE = 0.25, 0.01, 0.02


def groups_of(name: str, task: str) -> dict[str, tuple[float, float]]:
    """Parameter -> its decay and its rate."""
    case = next(cases_of(families()[name], task))
    rates = {"learning_rate": RATE, "weight_decay": DECAY, "wide_learning_rate": WIDE}
    values = {key: rates.get(key, value) for key, value in case.config.items()}
    model: Any = replace(case, config=values).built()
    found = {id(p): g for g in model.optimizer.param_groups for p in g["params"]}
    return {
        path: (found[id(p)]["weight_decay"], found[id(p)]["lr"])
        for path, p in model.network.named_parameters()
    }


@pytest.mark.parametrize("task", ["next_item", "purchase"])
@pytest.mark.parametrize(
    ("name", "one"), [("gru", ".bias_hh"), ("lstm", ".bias_hh"), ("sasrec", ".norms.0.weight")]
)
def test_weights_are_decayed_and_biases_and_norms_are_not(name: str, task: str, one: str) -> None:
    found = groups_of(name, task)
    biases = {path for path in found if ".norms." in path or ".bias" in path or path == "bias"}
    assert {path for path, (decay, _) in found.items() if not decay} == biases
    assert any(one in path for path in biases)
    assert {rate for _, rate in found.values()} == {RATE}


@pytest.mark.parametrize("task", ["next_item", "purchase"])
def test_a_wide_part_is_decayed_like_the_rest_at_a_rate_of_its_own(task: str) -> None:
    found = groups_of("wide_deep", task)
    wide = {path for path in found if "wide" in path}
    assert wide
    assert {path for path, (_, rate) in found.items() if rate == WIDE} == wide
    assert {found[path][0] for path in wide} == {DECAY}


@pytest.mark.parametrize(
    ("batches", "steps", "loss", "norm"),
    [
        ([(2.0, 3), (5.0, 1)], None, (2 * 3 + 5) / 4, 5.0),
        ([(2.0, 3), (5.0, 1), (9.0, 8)], 2, (2 * 3 + 5) / 4, 5.0),
        ([(2.0, 3)], None, 2.0, 4.0),
    ],
)
def test_an_epochs_loss_is_the_mean_over_its_targets_and_the_norm_that_over_its_steps(
    batches: Sequence[tuple[float, int]], steps: int | None, loss: float, norm: float
) -> None:
    model: Any = next(cases_of(families()["gru"], "next_item")).built()
    one = next(model.network.parameters())
    norms = iter([torch.tensor(4.0), torch.tensor(6.0)])
    model.training_batches = lambda seed: iter(batches)
    model.loss = lambda batch: (0 * one.sum() + batch[0], batch[1])
    model._step = lambda: next(norms)
    assert model.fit_epoch(steps) == pytest.approx(loss)
    assert model.gradient_norm == norm


def test_an_epoch_without_a_batch_has_no_loss_and_no_norm() -> None:
    model: Any = next(cases_of(families()["gru"], "next_item")).built()
    model.training_batches = lambda seed: iter(())
    assert math.isnan(model.fit_epoch())
    assert model.gradient_norm is None
