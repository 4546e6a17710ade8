"""Learning-rate schedules and what else is off by default: it reaches every family that has it."""

from typing import Any

import numpy as np
import pytest
import torch
from families import CPU, FAMILIES, asked
from pydantic import ValidationError
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR
from worlds import training_of

from recsweep.config.values import Value
from recsweep.models.gradient import GradientModel
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker
from recsweep.models.schedule import LAST, ScheduledConfig

RANDOM = np.random.default_rng(0)
TRAINING = training_of([RANDOM.integers(0, 12, 15).tolist() for _ in range(20)])
RATE: dict[str, Value] = {"learning_rate": 0.01, "weight_decay": 0.01, "batch_size": 4, "window": 9}
GRU: dict[str, Value] = {
    "depth": 1, "hidden_size": 8, "embedding_size": 6, "dropout": 0.2, "tied_embeddings": False,
    "loss": "cross_entropy", **RATE,
}  # fmt: skip
TWIN = {**GRU, "fading": "step", "fading_weight": 0.8}
FACTORS: dict[str, Value] = {
    "factors": 6, "history_exponent": 0.5, "dropout": 0.2, "loss": "cross_entropy", **RATE
}  # fmt: skip
FACTORISATION = "matrix_factorization"
COSINE: dict[str, Value] = {"learning_rate_schedule": "cosine", "decay_epochs": 2}


def model_of(family: str, config: dict[str, Value]) -> Any:
    return FAMILIES[family].model(config, Context(TRAINING, 0, CPU, "fp32"))


def fitted(family: str, config: dict[str, Value], epochs: int = 2) -> Tensor:
    model = model_of(family, config)
    for _ in range(epochs):
        model.fit_epoch()
    scores: Tensor = model.score(asked([0, 3, 3, 5]))
    return scores


@pytest.mark.parametrize(
    ("schedule", "reference"),
    [
        ("cosine", lambda optimizer: CosineAnnealingLR(optimizer, 20, eta_min=LAST)),
        ("linear", lambda optimizer: LinearLR(optimizer, 1, LAST, 20)),
    ],
)
def test_a_rate_falls_as_torchs_schedulers_let_it(schedule: str, reference: Any) -> None:
    config = ScheduledConfig.model_validate({"learning_rate_schedule": schedule, "decay_epochs": 2})
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)
    torchs = reference(optimizer)
    for step in range(1, 21):
        optimizer.step()
        torchs.step()
        share = config.share_of_rate(step / 10)
        assert share == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)
    assert config.share_of_rate(9) == LAST == 0.01  # a hundredth


def test_a_rate_rises_from_nothing_before_it_falls() -> None:
    config = ScheduledConfig.model_validate({"warmup_epochs": 0.5, **COSINE})
    shares = [config.share_of_rate(epochs) for epochs in (0.05, 0.25, 0.5, 1.5, 2.5)]
    assert shares == pytest.approx([0.1, 0.5, 1, (1 + LAST) / 2, LAST])


def test_a_constant_rate_moves_while_it_rises_and_then_no_more() -> None:
    constant = ScheduledConfig()
    assert not constant.scheduled
    assert [constant.share_of_rate(epochs) for epochs in (0.1, 1, 50)] == [1, 1, 1]
    rising = ScheduledConfig(warmup_epochs=2)
    assert rising.scheduled
    assert [rising.share_of_rate(epochs) for epochs in (0.5, 1, 2, 50)] == [0.25, 0.5, 1, 1]
    assert ScheduledConfig.model_validate(COSINE).scheduled


def test_every_step_has_the_rate_of_its_place_in_the_epoch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of("gru", GRU | COSINE | {"warmup_epochs": 0.5})
    found, step = [], GradientModel._step

    def recorded(self: GradientModel[Any, Any]) -> Tensor:
        found.append(self.optimizer.param_groups[0]["lr"])
        return step(self)

    monkeypatch.setattr(GradientModel, "_step", recorded)
    model.fit_epoch()
    model.fit_epoch()
    steps = len(found) // 2
    expected = [0.01 * model.config.share_of_rate((n + 1) / steps) for n in range(2 * steps)]
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("family", "config", "changes"),
    [
        (family, config, changes)
        for family, config in (
            ("gru", GRU),
            ("lstm_unordered", TWIN),
            ("matrix_factorization", FACTORS),
        )
        for changes in (
            COSINE,
            {"warmup_epochs": 1.0},
            {"embedding_dropout": 0.3},
            {"weight_ema_epochs": 1.0},
        )
    ]
    + [
        (family, config, changes)
        for family, config in (("gru", GRU), ("lstm", GRU), ("gru_unordered", TWIN))
        for changes in ({"input_dropout": 0.5}, {"layer_norm": True})
    ],
)
def test_what_is_switched_on_changes_the_outcome_and_its_default_does_not(
    family: str, config: dict[str, Value], changes: dict[str, Value]
) -> None:
    fields = FAMILIES[family].config.model_fields
    defaults = {name: fields[name].default for name in changes}
    plain = fitted(family, config)
    assert torch.equal(plain, fitted(family, config | defaults))
    assert not torch.equal(plain, fitted(family, config | changes))


@pytest.mark.parametrize("changes", [COSINE, {"weight_ema_epochs": 1.0}])
def test_a_run_that_is_resumed_goes_on_as_if_it_had_not_stopped(changes: dict[str, Value]) -> None:
    config = GRU | changes
    first, second = model_of("gru", config), model_of("gru", config)
    first.fit_epoch()
    second.restore(first.checkpoint())
    second.fit_epoch()
    assert torch.equal(second.score(asked([0, 3, 3, 5])), fitted("gru", config))


def test_embedding_dropout_takes_a_course_out_of_all_histories_of_a_batch() -> None:
    model = model_of("gru", GRU | {"embedding_dropout": 0.5})
    assert isinstance(model, GradientRanker)
    kept = model.network._kept()
    assert {*kept.tolist()} == {0.0, 2.0}
    assert len(kept) == 12


def test_a_schedule_without_its_length_is_refused() -> None:
    for keys in ({"learning_rate_schedule": "linear"}, {"decay_epochs": 3}):
        with pytest.raises(ValidationError, match="decay_epochs go together"):
            model_of("gru", GRU | keys)  # type: ignore[operator]
