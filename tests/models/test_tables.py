"""Steps that touch only the rows in use, against dense ones."""

from typing import Any

import numpy as np
import pytest
import torch
from families import FAMILIES
from torch import Tensor
from worlds import training_of

from recsweep.models import gradient, losses, tables
from recsweep.models.families.wide_deep import WideDeepEncoder
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker

ITEMS = 40
DRAWN = torch.tensor([3, 7, 7, 19])
SHARED = {"learning_rate": 0.01, "weight_decay": 0.0, "batch_size": 64, "window": 5, "negatives": 4}
OWN: dict[str, dict[str, Any]] = {
    "gru": {
        "depth": 1,
        "hidden_size": 8,
        "embedding_size": 6,
        "dropout": 0.0,
        "tied_embeddings": False,
    },
    "matrix_factorization": {"factors": 6, "history_exponent": 0.5, "dropout": 0.0},
    "wide_deep": {
        "embedding_size": 6,
        "hidden_size": 8,
        "depth": 1,
        "dropout": 0.0,
        "wide_learning_rate": 0.01,
    },
}


def model_of(family: str, loss: str, **changes: object) -> GradientRanker:
    config: dict[str, Any] = {**OWN[family], **SHARED, "loss": loss, **changes}
    rng = np.random.default_rng(0)
    training = training_of([rng.integers(0, 20, 6).tolist() for _ in range(8)], ITEMS)
    model = FAMILIES[family].model(config, Context(training, 0, torch.device("cpu"), "fp32"))
    assert isinstance(model, GradientRanker)
    model._draw = lambda batch: DRAWN  # type: ignore[method-assign]
    return model


def sparse_model(
    monkeypatch: pytest.MonkeyPatch, family: str, loss: str, **changes: object
) -> GradientRanker:
    monkeypatch.setattr(tables, "SPARSE_FROM", 1)
    model = model_of(family, loss, **changes)
    assert model.network.sparse
    return model


def gradients(model: GradientRanker) -> dict[str, Tensor]:
    """Of one batch, nothing moved."""
    found: dict[str, Tensor] = {}

    def keep() -> Tensor:
        for name, parameter in model.network.named_parameters():
            if parameter.grad is not None:
                found[name] = parameter.grad.to_dense()
        return torch.zeros(())

    model._step = keep  # type: ignore[method-assign]
    model.fit_epoch()
    return found


@pytest.mark.parametrize("family", list(OWN))
@pytest.mark.parametrize("loss", ["sampled_softmax", "gbce", "bpr", "bpr_max"])
def test_the_gradients_are_those_of_a_dense_step(
    family: str, loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    dense = gradients(model_of(family, loss))
    sparse = gradients(sparse_model(monkeypatch, family, loss))
    assert dense.keys() == sparse.keys()
    for name, value in dense.items():
        torch.testing.assert_close(sparse[name], value)


@pytest.mark.parametrize("loss", ["sampled_softmax", "bpr", "bpr_max", "bce", "gbce"])
def test_a_sampled_loss_is_the_one_that_was_configured(loss: str) -> None:
    model = model_of("gru", loss)
    target, positive = torch.tensor([3, 5]), torch.tensor([0.3, -1.0])
    negative = torch.tensor([[0.1, 0.2, 0.2, -0.5], [1.0, -2.0, -2.0, 0.4]])
    weight, clash = torch.tensor([1.0, 2.0]), target[:, None] == DRAWN
    log_q = (model._popularity * 4).log()
    beta = losses.gbce_beta(model.config.calibration, 4, ITEMS)
    expected = {
        "sampled_softmax": lambda: losses.sampled_softmax(
            positive, negative, log_q[target], log_q[DRAWN], weight
        ),
        "bpr": lambda: losses.bpr(positive, negative, clash, weight),
        "bpr_max": lambda: losses.bpr_max(positive, negative, clash, 1.0, weight),
        "bce": lambda: losses.binary_cross_entropy(positive, negative, clash, 1.0, weight),
        "gbce": lambda: losses.binary_cross_entropy(positive, negative, clash, beta, weight),
    }[loss]()
    found = model._sampled(target, DRAWN, positive, negative, weight)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("least", "loss", "sparse"),
    [(ITEMS, "bpr", True), (ITEMS + 1, "bpr", False), (ITEMS, "cross_entropy", False)],
)
def test_tables_are_sparse_from_a_size_on_where_a_loss_is_sampled(
    least: int, loss: str, sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SPARSE_FROM", least)
    assert model_of("gru", loss).network.sparse is sparse


def test_the_first_step_moves_each_used_number_by_the_learning_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = sparse_model(monkeypatch, "gru", "bpr")
    before = model.state()
    model.fit_epoch()
    moved = (model.state()["output"] - before["output"]).abs()[DRAWN]
    torch.testing.assert_close(moved, torch.full_like(moved, 0.01), rtol=0.01, atol=0)


def test_the_gradient_is_clipped_over_dense_and_sparse_parts_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        gradient, "CLIP_NORM", 1e-9
    )  # below Adam's epsilon: next to no step is left
    model = sparse_model(monkeypatch, "gru", "bpr")
    before = model.state()
    model.fit_epoch()
    for name, value in model.state().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0.002)


def test_rows_that_no_batch_used_stay_and_others_are_decayed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = sparse_model(monkeypatch, "gru", "sampled_softmax", weight_decay=1.0)
    before = model.state()
    model.fit_epoch()
    for name in ("embedding", "output"):
        assert torch.equal(model.state()[name][20:], before[name][20:])
    free = sparse_model(monkeypatch, "gru", "sampled_softmax")
    free.fit_epoch()
    difference = free.state()["output"][DRAWN] - model.state()["output"][DRAWN]
    torch.testing.assert_close(difference, 0.01 * before["output"][DRAWN], rtol=0.01, atol=1e-6)


def test_a_pairs_weight_is_recalled_and_an_unseen_pairs_is_zero() -> None:
    model = model_of("wide_deep", "bpr")
    encoder = model.network.encoder
    assert isinstance(encoder, WideDeepEncoder)
    torch.nn.init.normal_(encoder.wide)
    last = torch.arange(ITEMS)
    memory = encoder.memory(last)
    grid = torch.zeros(ITEMS, ITEMS)
    grid[memory.state, memory.item] = memory.value
    assert torch.equal(encoder.recall(last[:, None], torch.arange(ITEMS)), grid)


def test_courses_are_drawn_as_often_as_they_are_popular() -> None:
    model = model_of("gru", "sampled_softmax")
    torch.manual_seed(0)
    drawn = model.batches.draw(50_000).bincount(minlength=ITEMS) / 50_000
    torch.testing.assert_close(drawn, model._popularity, rtol=0.15, atol=0.003)


@pytest.mark.parametrize("loss", ["sampled_softmax", "bpr", "gbce", "bpr_max"])
def test_negatives_come_by_popularity_from_the_batchs_targets_or_evenly(loss: str) -> None:
    model = model_of("gru", loss, negatives=20_000)
    batch = next(iter(model.training_batches(0)))
    torch.manual_seed(0)
    drawn = GradientRanker._draw(model, batch).bincount(minlength=ITEMS) / 20_000
    of_batch = batch.target.bincount(minlength=ITEMS) / len(batch.target)
    evenly = torch.full((ITEMS,), 1 / ITEMS)
    expected = {"sampled_softmax": model._popularity, "bpr_max": of_batch}.get(loss, evenly)
    torch.testing.assert_close(drawn, expected, rtol=0.15, atol=0.003)


def test_memory_of_a_known_size_is_the_same_memory_and_learns_the_same() -> None:
    model = model_of("wide_deep", "bpr")
    encoder = model.network.encoder
    assert isinstance(encoder, WideDeepEncoder)
    torch.nn.init.normal_(encoder.wide)
    last = torch.tensor([0, 3, 3, 39, 12])  # one is followed by nothing
    grids: list[Tensor] = []
    slopes: list[Tensor | None] = []
    for memory in (encoder.memory(last), encoder.padded_memory(last)):
        assert (memory.state.diff() >= 0).all()
        grid = torch.zeros(len(last) * ITEMS)
        grid = grid.index_add(0, memory.state * ITEMS + memory.item, memory.value)
        encoder.wide.grad = None
        (grid * torch.arange(len(grid))).sum().backward()  # type: ignore[no-untyped-call]
        grids.append(grid.detach())
        slopes.append(encoder.wide.grad)
    assert torch.equal(*grids)
    torch.testing.assert_close(*slopes)


def test_used_rows_are_decayed_and_moved_as_adam_moves_them_and_the_rest_stays() -> None:
    torch.manual_seed(0)
    table, unused = (torch.nn.Parameter(torch.randn(5, 2)) for _ in range(2))
    plain = table.detach().clone().requires_grad_()
    ours = tables.SparseTables([table, unused], learning_rate=0.1, weight_decay=0.5)
    assert ours.gradients() == []
    adam = torch.optim.Adam([plain], lr=0.1)
    before, other = table.detach().clone(), unused.detach().clone()
    for slope in (1.0, -2.0):
        looked_up = tables.rows(table, torch.tensor([[3, 1], [3, 3]]))
        assert looked_up.shape == (2, 2, 2)
        (looked_up.sum() * slope).backward()  # type: ignore[no-untyped-call]
        (found,) = ours.gradients()
        assert found.tolist() == [[slope] * 2, [3 * slope] * 2]  # of rows 1 and 3
        found.mul_(0.5)
        ours.step()
        assert table.grad is None
        plain.grad = torch.tensor([0.0, 0.5, 0, 1.5, 0])[:, None].expand(5, 2) * slope
        with torch.no_grad():
            plain[[1, 3]] *= 1 - 0.1 * 0.5
        adam.step()
    torch.testing.assert_close(table[[1, 3]], plain[[1, 3]])
    assert torch.equal(table[[0, 2, 4]], before[[0, 2, 4]])
    assert torch.equal(unused, other)


def test_a_catalogue_is_large_from_50_000_courses_on_as_the_protocol_says() -> None:
    assert tables.SPARSE_FROM == 50_000
