"""`neumf` against the formula of its paper, by plain loops."""

import math

import numpy as np
import pytest
import torch
from by_hand import State, classifier_of, faded_mean, looks, probabilities, purchases, relu, shaken
from families import CPU, FAMILIES, asked
from scipy.special import expit
from worlds import training_of

from recsweep.data.types import KINDS, Float64
from recsweep.models import losses
from recsweep.models.families import neumf
from recsweep.models.protocol import Context

HISTORIES = [[0, 1, 2, 3], [4, 2, 0], [3, 1, 4, 2, 0], [2, 2, 1]]
RANKS: dict[str, object] = {
    "factors": 3, "hidden_size": 4, "depth": 2, "dropout": 0.0, "learning_rate": 0.01,
    "weight_decay": 0.0, "batch_size": 9, "window": 9, "loss": "bpr",
}  # fmt: skip


def model_of(loss: str) -> neumf.NeuMf:
    """With a tower of 4 and 2, and no parameter where it began."""
    config = RANKS | {"loss": loss, "negatives": 6, "fading": "step", "fading_weight": 0.5}
    model = FAMILIES["neumf"].model(config, Context(training_of(HISTORIES), 0, CPU, "fp32"))
    shaken(model.network)
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


def test_at_first_a_score_is_a_plain_factorisation() -> None:
    config = RANKS | {"hidden_size": 5, "depth": 4}
    model = FAMILIES["neumf"].model(config, Context(training_of(HISTORIES), 0, CPU, "fp32"))
    state = {name: value.double().numpy() for name, value in model.state().items()}
    sizes = [state[f"encoder.fusion.deeper.{n}.weight"].shape for n in range(3)]
    assert sizes == [(2, 5), (1, 2), (1, 1)]  # each layer half as wide, of a unit or more
    assert state["encoder.fusion.of_course.weight"].shape == (5, 5)
    queries = [[0], [3, 1, 4]]
    learners = [faded_mean(state["embedding"], query, 1.0)[:3] for query in queries]
    expected = np.array(learners) @ state["output"][:, :3].T
    np.testing.assert_allclose(model.score(asked(*queries)), expected, rtol=1e-5, atol=1e-6)


def test_a_configuration_of_a_tower_that_is_wide_is_read_in_chunks_that_are_small_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, sizes = model_of("bpr"), []
    grid = neumf.Fusion.grid

    def seen(fusion: neumf.Fusion, learners: torch.Tensor, courses: torch.Tensor) -> torch.Tensor:
        sizes.append(len(learners) * len(courses) * 4)
        return grid(fusion, learners, courses)

    monkeypatch.setattr(neumf.Fusion, "grid", seen)
    monkeypatch.setattr(neumf, "CHUNK_VALUES", 45)  # two states by five courses by four units
    model.score(asked([0], [1], [2], [3], [4]))
    assert sizes == [40, 40, 20]


@pytest.mark.parametrize("loss", ["cross_entropy", "sampled_softmax", "bpr"])
def test_a_target_counts_by_the_weight_of_its_event(
    loss: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses of `losses.py`, of logits that are the scores."""
    kind = np.arange(15) % 3 == 1
    training = training_of(HISTORIES)
    training.sequences.kind[:] = np.where(kind, KINDS.index("purchase"), 0)
    config = RANKS | {"loss": loss, "negatives": 6, "weight_purchase": 3.0}
    model = FAMILIES["neumf"].model(config, Context(training, 0, CPU, "fp32"))
    assert isinstance(model, neumf.NeuMf)
    shaken(model.network)
    drawn = torch.tensor([4, 0, 2, 2, 1, 3])
    monkeypatch.setattr(model, "_draw", lambda batch: drawn)
    (batch,) = model.training_batches(0)
    found, count = model.loss(batch)
    event = batch.target_event.tolist()
    owner = [(n, place) for n, history in enumerate(HISTORIES) for place in range(len(history))]
    weights = torch.tensor([3.0 if kind[n] else 1.0 for n in event])
    weights = weights / weights.mean()
    logits = model.score(
        asked(*(HISTORIES[n][:place] for n, place in map(owner.__getitem__, event)))
    )
    assert count == len(event) == 11
    target = batch.target
    positive, negative = logits[torch.arange(11), target], logits[:, drawn]
    if loss == "cross_entropy":
        expected = (weights * (logits.logsumexp(1) - positive)).mean()
    elif loss == "bpr":
        expected = losses.bpr(positive, negative, target[:, None] == drawn, weights)
    else:
        log_q = model._log_q
        expected = losses.sampled_softmax(positive, negative, log_q[target], log_q[drawn], weights)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


ANSWERS = {
    "factors": 3, "hidden_size": 4, "depth": 2, "dropout": 0.0, "learning_rate": 0.01,
    "weight_decay": 0.0, "batch_size": 4, "fading": "step", "fading_weight": 0.5,
}  # fmt: skip


def plain_probability(state: State, history: list[int], course: int, inputs: Float64) -> float:
    learner = faded_mean(state["of_history.weight"], history, 0.5)
    q = state["of_course.weight"][course]
    logit = state["base"] + state["fusion.of_products"] @ (learner[:3] * q[:3])
    first = np.hstack((state["fusion.of_learner.weight"], state["fusion.of_course.weight"]))
    read = np.concatenate((learner[3:], inputs, q[3:]))
    hidden = relu(first, state["fusion.of_learner.bias"], read)
    hidden = relu(state["fusion.deeper.0.weight"], state["fusion.deeper.0.bias"], hidden)
    return float(expit(logit + state["fusion.of_tower.weight"][0] @ hidden))


def test_asked_for_a_probability_the_tower_reads_what_is_known_as_well() -> None:
    fold, targets = purchases()
    model = classifier_of("neumf", ANSWERS, fold)
    state = shaken(model.network)
    expected = [plain_probability(state, *look) for look in looks(targets, fold.n_items)]
    np.testing.assert_allclose(probabilities(model, fold, targets), expected, rtol=1e-5)


def test_at_first_vectors_are_small_and_an_unknown_course_has_none() -> None:
    fold, _ = purchases()
    network = classifier_of("neumf", ANSWERS | {"factors": 60}, fold).network
    assert isinstance(network, neumf.NeuMfLogOdds)
    for table in (network.of_history, network.of_course):
        assert 0.09 < float(table.weight[:-1].detach().std()) < 0.11
        assert not table.weight[-1].any()


def test_a_network_that_is_asked_does_not_drop_anything() -> None:
    config = RANKS | {"dropout": 0.5}
    model = FAMILIES["neumf"].model(config, Context(training_of(HISTORIES), 0, CPU, "fp32"))
    shaken(model.network)
    queries = asked([0], [3, 1, 4])
    first = model.score(queries)
    model.network.train()
    assert torch.equal(model.score(queries), first)
