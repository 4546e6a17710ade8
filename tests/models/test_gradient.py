"""What a step does to which parameters."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import embedding
from worlds import training_of

from recsweep.models import histories
from recsweep.models.averaging import SAMPLES
from recsweep.models.gradient import GradientConfig, HistoryModel
from recsweep.models.protocol import Context, Histories
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


class Small(nn.Module):
    """A line, and a table of vectors for its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(6, 3))
        self.line = nn.Linear(3, 2)
        self.wide = nn.Parameter(torch.ones(2))
        self.unused = nn.Parameter(torch.ones(2))

    def forward(self, rows: Tensor, sparse: bool) -> Tensor:
        """(n, 2)."""
        out: Tensor = self.line(embedding(rows, self.table, sparse=sparse)) * self.wide
        return out


class Fitted(HistoryModel[Small, Tensor]):
    """To large outputs, so that gradients are large at first."""

    sparse = False
    targets = 7

    @property
    def entries(self) -> int:
        return self.targets

    def training_batches(self, seed: int) -> Iterator[Tensor]:
        order = np.random.default_rng(seed).permutation(self.targets) % 6
        for first in range(0, self.targets, self.batch_size):
            yield torch.from_numpy(order[first : first + self.batch_size])

    def loss(self, batch: Tensor) -> tuple[Tensor, int]:
        return loss_of(self.network, batch, self.sparse), len(batch)

    def sparse_tables(self) -> Sequence[nn.Parameter]:
        return [self.network.table] if self.sparse else ()

    def states(self, histories: Histories) -> Tensor:
        assert not self.network.training
        last = histories.items[histories.row, histories.length - 1]
        return torch.stack((last.float(), histories.length.float()), 1)


class FittedSparsely(Fitted):
    sparse = True


def loss_of(network: Small, batch: Tensor, sparse: bool) -> Tensor:
    missing: Tensor = network(batch, sparse) - 5 * (1 + batch[:, None])
    return 0.5 * missing.square().mean()


def fitted(kind: type[Fitted] = Fitted, **changes: Any) -> Fitted:
    values = {"learning_rate": RATE, "weight_decay": DECAY, "batch_size": 2}
    config = GradientConfig.model_validate({"wide_learning_rate": WIDE, **values, **changes})
    context = Context(training_of([[0]]), 3, torch.device("cpu"), "fp32")
    return kind(Small, config, context)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    "schedule",
    [
        {},
        {"warmup_epochs": 1.5},
        {"learning_rate_schedule": "linear", "decay_epochs": 2.0, "warmup_epochs": 0.5},
    ],
)
def test_training_is_a_plain_loop_of_clipped_steps(
    sparse: bool, schedule: dict[str, object]
) -> None:
    model = fitted(FittedSparsely if sparse else Fitted, **schedule)
    plain = Small()
    plain.load_state_dict(model.state())
    line, table = plain.line, plain.table
    groups = [
        {"params": [line.weight] if sparse else [line.weight, table], "weight_decay": DECAY},
        {"params": [line.bias], "weight_decay": 0},
        {"params": [plain.wide], "weight_decay": DECAY, "lr": WIDE},
    ]
    parts: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=RATE)]
    if sparse:
        parts.append(torch.optim.SparseAdam([table], lr=RATE))
    rates = [[group["lr"] for group in part.param_groups] for part in parts]
    config, step = (
        GradientConfig.model_validate(
            {"learning_rate": RATE, "weight_decay": DECAY, "batch_size": 2, **schedule}
        ),
        0,
    )
    for epoch in (1, 2, 3):
        losses, norms = [], []
        with model.context.randomness(epoch) as seed:
            batches = [*model.training_batches(seed)]
        for batch in batches:
            step += 1
            for part, own in zip(parts, rates, strict=True):
                for group, rate in zip(part.param_groups, own, strict=True):
                    group["lr"] = rate * config.share_of_rate(step / 4)  # 7 in batches of 2
                part.zero_grad()
            loss = loss_of(plain, batch, sparse)
            loss.backward()  # type: ignore[no-untyped-call]
            if sparse:
                assert table.grad is not None
                table.grad = table.grad.coalesce()
                with torch.no_grad():
                    used = torch.bincount(batch).nonzero().flatten()
                    table[used] *= 1 - parts[1].param_groups[0]["lr"] * DECAY
            slopes = [p.grad for p in plain.parameters() if p.grad is not None]
            norm = math.sqrt(sum(float(slope.to_dense().square().sum()) for slope in slopes))
            for slope in slopes:
                slope.mul_(min(1.0, 5 / norm))
            for part in parts:
                part.step()
            losses.append(loss.item() * len(batch))
            norms.append(norm)
        assert model.fit_epoch() == pytest.approx(sum(losses) / 7, rel=1e-5)
        assert model.gradient_norm == pytest.approx(np.mean(norms), rel=1e-5)
        assert max(norms) > 5
        assert model.epoch == epoch
    for name, value in plain.named_parameters():
        torch.testing.assert_close(model.state()[name], value.detach(), rtol=1e-4, atol=1e-5)


def test_first_weights_are_drawn_by_the_seed_and_training_has_its_dropout_on() -> None:
    model = fitted()
    assert all(torch.equal(value, fitted().state()[name]) for name, value in model.state().items())
    model.network.eval()
    model.fit_epoch()
    assert model.network.training
    assert model.fused() is None


@pytest.mark.parametrize(("targets", "taken"), [(7, 4), (79, 20), (80, 20), (81, 13)])
def test_an_average_takes_weights_in_about_so_often_an_epoch_and_they_go_on_without_it(
    targets: int, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 40 steps every second, as 40 / 16 rounds to 2; of 41 every third."""
    monkeypatch.setattr(Fitted, "targets", targets)
    plain, averaged = fitted(), fitted(weight_ema_epochs=1.0)
    assert SAMPLES == 16
    assert not [name for name in plain.checkpoint() if name.startswith("average/")]
    for epochs in (1, 2):
        plain.fit_epoch()
        averaged.fit_epoch()
        kept = averaged.checkpoint()
        assert int(kept["average/taken"]) == epochs * taken
        for n, own in enumerate(plain.network.parameters()):
            assert torch.equal(kept[f"average/training/{n}"], own)
        assert not torch.equal(averaged.network.wide, plain.network.wide)


@pytest.mark.parametrize("kind", [Fitted, FittedSparsely])
@pytest.mark.parametrize("changes", [{}, {"weight_ema_epochs": 1.0}])
def test_a_model_goes_on_from_a_checkpoint_and_takes_over_a_state(
    kind: type[Fitted], changes: dict[str, object]
) -> None:
    model, other = fitted(kind, **changes), fitted(kind, **changes)
    model.fit_epoch()
    other.restore(model.checkpoint())
    assert other.epoch == 1
    assert model.fit_epoch() == other.fit_epoch()
    third = fitted(kind)
    third.load_state(model.state())
    for each in (other, third):
        assert all(torch.equal(each.state()[name], own) for name, own in model.state().items())


@pytest.mark.parametrize("places", [1, 6, 1 << 16])
def test_learners_vectors_are_states_after_their_last_events_in_their_order(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "BLOCK_PLACES", places)
    told = [[4, 1], [2], [5, 5, 3], [0], [1, 1]]
    found = fitted().learner_vectors(training_of(told).sequences)
    assert found.tolist() == [[1, 2], [2, 1], [3, 3], [0, 1], [1, 2]]
