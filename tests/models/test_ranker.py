"""What a ranking trained by gradient learns from and answers, with a network that only looks up."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from families import asked
from torch import Tensor, nn
from worlds import training_of

from recsweep.data.types import KINDS, Training
from recsweep.models import losses, tables
from recsweep.models import ranker as module
from recsweep.models.losses import Memory
from recsweep.models.network import Encoder, Rows
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker, RankingConfig, ranker

N = 7
DRAWN = torch.tensor([3, 0, 3, 6])
PAIR = 0.75
"""What is remembered of the course with the next number, after a course."""


class Last(Encoder):
    """The state is the last course's vector."""

    width = dim = 3
    projects = False

    def __init__(self, remembers: bool) -> None:
        super().__init__()
        self.remembers = remembers
        self.pair = nn.Parameter(torch.tensor(PAIR))

    def forward(self, inputs: Tensor, rows: Rows) -> Tensor:
        return inputs

    def memory(self, last_item: Tensor) -> Memory | None:
        if not self.remembers:
            return None
        state = torch.arange(len(last_item))
        return Memory(state, (last_item + 1) % N, self.pair.expand(len(last_item)))

    def recall(self, last_item: Tensor, item: Tensor) -> Tensor | None:
        return (item == (last_item + 1) % N) * self.pair if self.remembers else None


def world(n_cold: int = 0) -> Training:
    """Five learners of unequal courses, one more course than events tell of for each cold one."""
    told = [[0, 1, 3, 3], [2, 3], [4, 0, 6], [5], [1, 6, 3]]
    training = training_of(told, n_items=N + n_cold)
    kinds = np.arange(13) % 2 * KINDS.index("purchase")
    sequences = replace(training.sequences, kind=kinds.astype(np.int8))
    return replace(training, n_cold=n_cold, sequences=sequences)


def model_of(
    loss: str, remembers: bool = False, training: Training | None = None, **changes: Any
) -> GradientRanker:
    precision = changes.pop("precision", "fp32")
    values = {
        "learning_rate": 0.1, "weight_decay": 0.0, "batch_size": 2, "window": 10, "loss": loss,
        "negatives": 4, "calibration": 0.6, "score_penalty": 0.3,
    }  # fmt: skip
    config = RankingConfig.model_validate({**values, **changes})
    context = Context(training or world(), 0, torch.device("cpu"), precision)
    build = ranker(lambda config, training: Last(remembers))
    model = build(config, context)
    nn.init.normal_(model.network.bias)
    return model


def steps_of(training: Training) -> tuple[Tensor, Tensor, Tensor]:
    """(n,) the course before, the target and the target's event."""
    offsets, items = training.sequences.offsets, torch.from_numpy(training.sequences.item).long()
    event = torch.tensor([n for a, b in pairwise(offsets) for n in range(a + 1, b)])
    return items[event - 1], items[event], event


def logits_of(model: GradientRanker, last: Tensor, remembers: bool) -> Tensor:
    """(n, N) by their plain definition."""
    network = model.network
    assert network.output is not None
    logits = network.embedding[last] @ network.output.T + network.bias
    if remembers:
        logits = logits + PAIR * torch.eye(N)[(last + 1) % N]
    return logits


LOSSES = ("cross_entropy", "sampled_softmax", "bpr", "bpr_max", "bce", "gbce")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("remembers", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("weight_purchase", [1.0, 3.0])
def test_the_loss_is_the_configured_one_of_every_event_after_a_first(
    loss: str,
    remembers: bool,
    sparse: bool,
    weight_purchase: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "SPARSE_FROM", N if sparse else N + 1)
    model = model_of(loss, remembers, weight_purchase=weight_purchase, batch_size=9)
    monkeypatch.setattr(model, "_draw", lambda batch: DRAWN)
    assert model.network.sparse is (sparse and loss != "cross_entropy")
    (batch,) = model.training_batches(0)
    found, n_targets = model.loss(batch)
    last, target, event = steps_of(world())
    assert n_targets == len(target) == 8
    kinds = torch.from_numpy(world().sequences.kind)[event]
    weight = torch.where(kinds > 0, weight_purchase, 1.0)
    weight = weight / weight.mean()
    logits = logits_of(model, last, remembers)
    positive, negative = logits[torch.arange(8), target], logits[:, DRAWN]
    clash = target[:, None] == DRAWN
    counts = torch.tensor([2, 2, 1, 4, 1, 1, 2.0])
    log_q = (counts / 13 * 4).log()
    rate = 4 / (N - 1)
    beta = {"bce": 1.0}.get(loss, rate * (0.6 * (1 - 1 / rate) + 1 / rate))
    expected = {
        "cross_entropy": lambda: torch.dot(
            nn.functional.cross_entropy(logits, target, reduction="none"), weight / 8
        ),
        "sampled_softmax": lambda: losses.sampled_softmax(
            positive, negative, log_q[target], log_q[DRAWN], weight
        ),
        "bpr": lambda: losses.bpr(positive, negative, clash, weight),
        "bpr_max": lambda: losses.bpr_max(positive, negative, clash, 0.3, weight),
        "bce": lambda: losses.binary_cross_entropy(positive, negative, clash, beta, weight),
        "gbce": lambda: losses.binary_cross_entropy(positive, negative, clash, beta, weight),
    }[loss]()
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("remembers", [False, True])
@pytest.mark.parametrize("n_cold", [0, 2])
def test_a_score_is_a_product_with_the_state_and_a_cold_courses_is_of_the_mean_one(
    remembers: bool, n_cold: int
) -> None:
    model = model_of("bpr", remembers, world(n_cold))
    model.network.train()
    histories = replace(
        asked([0, 1, 3], [6, 2]), row=torch.tensor([0, 1, 0]), length=torch.tensor([3, 1, 2])
    )
    found = model.score(histories)
    assert not model.network.training
    last = torch.tensor([3, 6, 1])
    network = model.network
    assert network.output is not None
    output, bias = network.output.detach(), network.bias.detach()
    state = network.embedding.detach()[last]
    expected = logits_of(model, last, remembers).detach()
    cold = state @ output.mean(0) + bias.mean()
    expected = torch.cat((expected, cold[:, None].expand(3, n_cold)), 1)
    torch.testing.assert_close(found, expected)
    assert model.states(histories).dtype == torch.float32
    torch.testing.assert_close(model.states(histories), state)


def test_in_bfloat16_scores_are_float32_and_nearly_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for each in (module, losses):
        monkeypatch.setattr(each, "runs", lambda device: False)  # nothing need be compiled
    whole, half = (model_of("cross_entropy", precision=each) for each in ("fp32", "bf16"))
    half.load_state(whole.state())
    scores = [model.score(asked([0, 1, 3])) for model in (whole, half)]
    assert scores[1].dtype == torch.float32
    torch.testing.assert_close(scores[1], scores[0], rtol=0.02, atol=0.02)
    (batch,) = model_of("cross_entropy", batch_size=9).training_batches(0)
    plain, rounded = (model.loss(batch)[0] for model in (whole, half))
    torch.testing.assert_close(rounded, plain, rtol=0.02, atol=0)


@pytest.mark.parametrize(
    ("precision", "runs", "fused"),
    [("fp32", True, None), ("bf16", True, True), ("bf16", False, None)],
)
def test_steps_are_fused_in_bfloat16_by_our_kernels_alone(
    precision: str, runs: bool, fused: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "runs", lambda device: runs)
    model = model_of("bpr", precision=precision)
    assert model.optimizer.defaults["fused"] is fused


@pytest.mark.parametrize(("unit", "size"), [("windows", 2), ("events", 1)])
def test_an_epoch_deals_windows_into_batches_of_the_configured_size(unit: str, size: int) -> None:
    model = model_of("bpr", batch_unit=unit)
    assert model.entries == 4  # one learner has a single event
    assert model.batch_size == size
    assert len([*model.training_batches(0)]) == model.steps == 4 // size


@pytest.mark.parametrize("loss", ["bpr", "cross_entropy"])
def test_tables_of_a_large_catalogue_are_stepped_apart_under_a_sampled_loss(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [*model_of(loss).sparse_tables()] == []
    monkeypatch.setattr(tables, "SPARSE_FROM", N)
    model = model_of(loss)
    own = [model.network.embedding, model.network.output] if loss == "bpr" else []
    assert all(a is b for a, b in zip(model.sparse_tables(), own, strict=True))


@pytest.mark.parametrize("loss", LOSSES)
def test_biases_begin_at_even_odds_but_for_binary_losses(loss: str) -> None:
    config = model_of(loss).config
    context = Context(world(), 0, torch.device("cpu"), "fp32")
    bias = GradientRanker(lambda config, training: Last(False), config, context).network.bias
    start = -np.log(4) if loss in ("bce", "gbce") else 0.0
    torch.testing.assert_close(bias, torch.full((N,), start, dtype=torch.float32))


def test_of_no_training_at_all_a_model_is_built_that_takes_over_a_state() -> None:
    model, empty = (
        model_of("sampled_softmax"),
        model_of("sampled_softmax", training=world().without_learners()),
    )
    empty.load_state(model.state())
    assert torch.equal(empty.score(asked([2])), model.score(asked([2])))


def test_equal_events_have_no_weights_and_others_have_theirs_with_mean_one() -> None:
    assert model_of("bpr")._weight is None
    weight = model_of("bpr", weight_purchase=3.0)._weight
    assert weight is not None
    assert weight.dtype == torch.float32
    purchased = torch.from_numpy(world().sequences.kind) > 0
    _, _, target = steps_of(world())
    expected = torch.where(purchased, 3.0, 1.0)[target]
    torch.testing.assert_close(weight[target], expected / expected.mean())
    assert weight.sum() == pytest.approx(8)  # an event that is no target weighs nothing


@pytest.mark.parametrize("loss", ["sampled_softmax", "bpr_max", "bpr"])
@pytest.mark.parametrize("sparse", [False, True])
def test_negatives_are_drawn_by_popularity_among_the_batchs_targets_or_of_all_known_courses(
    loss: str, sparse: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SPARSE_FROM", 1 if sparse else N + 9)
    model = model_of(loss, training=world(n_cold=2), negatives=4000)
    batch = next(model.training_batches(0))
    torch.manual_seed(0)
    shares = model._draw(batch).bincount(minlength=N + 2) / 4000
    expected = {
        "sampled_softmax": torch.tensor([2, 2, 1, 4, 1, 1, 2, 0, 0]) / 13,
        "bpr_max": batch.target.bincount(minlength=N + 2) / len(batch.target),
        "bpr": torch.tensor([1.0] * N + [0, 0]) / N,
    }[loss]
    torch.testing.assert_close(shares, expected, rtol=0, atol=0.03)
    assert not shares[expected == 0].any()
