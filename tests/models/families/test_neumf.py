"""`neumf` against the formula of its paper, by plain loops."""

import math

import numpy as np
import pytest
import torch
from families import CPU, FAMILIES, asked
from worlds import training_of

from recsweep.models.families import neumf
from recsweep.models.protocol import Context

HISTORIES = [[0, 1, 2, 3], [4, 2, 0], [3, 1, 4, 2, 0], [2, 2, 1]]


def model_of(loss: str) -> neumf.NeuMf:
    """With a tower of 4 and 2, and no parameter where it began."""
    config = {
        "factors": 3, "hidden_size": 4, "depth": 2, "dropout": 0.0, "learning_rate": 0.01,
        "weight_decay": 0.0, "batch_size": 9, "window": 9, "loss": loss, "negatives": 6,
        "fading": "step", "fading_weight": 0.5,
    }  # fmt: skip
    model = FAMILIES["neumf"].model(config, Context(training_of(HISTORIES), 0, CPU, "fp32"))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    assert isinstance(model, neumf.NeuMf)
    return model


def plain(state: dict[str, np.ndarray], history: list[int], course: int) -> float:
    """h · [p ⊙ q ; the tower of p' and q'] and the course's bias."""
    weights = [0.5 ** (len(history) - 1 - n) for n in range(len(history))]
    learner = [
        sum(w * float(state["embedding"][i][d]) for w, i in zip(weights, history, strict=True))
        / sum(weights)
        for d in range(7)
    ]
    q = [float(x) for x in state["output"][course]]
    head = "encoder.fusion."
    logit = float(state["bias"][course])
    for d in range(3):
        logit += float(state[head + "of_products"][d]) * learner[d] * q[d]
    first = np.concatenate(
        (state[head + "of_learner.weight"], state[head + "of_course.weight"]), axis=1
    )
    hidden = learner[3:] + q[3:]
    layers = [
        (first, state[head + "of_learner.bias"]),
        (state[head + "deeper.0.weight"], state[head + "deeper.0.bias"]),
    ]
    for matrix, bias in layers:
        hidden = [
            max(0.0, float(b) + sum(float(w) * x for w, x in zip(row, hidden, strict=True)))
            for row, b in zip(matrix, bias, strict=True)
        ]
    assert len(hidden) == 2
    of_tower = state[head + "of_tower.weight"][0]
    return logit + sum(float(w) * x for w, x in zip(of_tower, hidden, strict=True))


@pytest.mark.parametrize("values", [1, 1 << 22])
def test_scores_are_the_papers_formula(values: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neumf, "CHUNK_VALUES", values)
    model = model_of("bpr")
    state = {name: value.numpy() for name, value in model.state().items()}
    queries = [[0], [3, 1, 4], [2, 2, 0, 1]]
    expected = [[plain(state, query, course) for course in range(5)] for query in queries]
    np.testing.assert_allclose(model.score(asked(*queries)), expected, rtol=1e-5, atol=1e-5)


def test_cross_entropy_is_that_of_the_scores() -> None:
    model, total, count = model_of("cross_entropy"), 0.0, 0
    (batch,) = model.training_batches(0)
    found, _ = model.loss(batch)
    for history in HISTORIES:
        for n in range(1, len(history)):
            scores = model.score(asked(history[:n]))[0].double()
            total += (scores.logsumexp(0) - scores[history[n]]).item()
            count += 1
    assert math.isclose(found.item(), total / count, rel_tol=1e-5)


@pytest.mark.parametrize("loss", ["cross_entropy", "sampled_softmax", "bpr"])
def test_chunks_change_neither_loss_nor_gradient(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for values in (1, 1 << 22):
        monkeypatch.setattr(neumf, "CHUNK_VALUES", values)
        model = model_of(loss)
        (batch,) = model.training_batches(0)
        torch.manual_seed(0)
        value, _ = model.loss(batch)
        value.backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in model.network.parameters() if p.grad is not None]
        assert len(gradients) >= 8
        found.append([value.detach(), *gradients])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
