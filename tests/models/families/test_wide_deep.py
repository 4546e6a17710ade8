"""`wide_deep` against its definition by plain loops."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from by_hand import State, classifier_of, faded_mean, looks, probabilities, purchases, relu, shaken
from families import CPU, FAMILIES, asked
from scipy.special import expit
from worlds import training_of

from recsweep.data.types import Float64, Training
from recsweep.models.families.wide_deep import (
    WideDeepEncoder,
    WideDeepLogOdds,
    pairs_of_examples,
    pairs_of_windows,
)
from recsweep.models.losses import Memory
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker

OTHERS = {
    "embedding_size": 4,
    "dropout": 0.0,
    "wide_learning_rate": 0.1,
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "batch_size": 4,
    "window": 5,
    "loss": "cross_entropy",
    "fading": "none",
}
HISTORIES = [[0, 1, 2, 3], [1, 2, 0], [0, 1, 0, 3]]
PAIRS = [(0, 1), (0, 3), (1, 0), (1, 2), (2, 0), (2, 3)]
ASKED = {name: value for name, value in OTHERS.items() if name not in ("window", "loss")}
HALF: dict[str, object] = {"fading": "step", "fading_weight": 0.5}


def model_of(training: Training, **sizes: object) -> GradientRanker:
    config: dict[str, Any] = {**OTHERS, **sizes}
    model = FAMILIES["wide_deep"].model(config, Context(training, 0, CPU, "fp32"))
    assert isinstance(model, GradientRanker)
    return model


def weights(**sizes: object) -> dict[str, torch.Tensor]:
    return dict(model_of(training_of([[0, 1, 2, 3], [1, 2, 0]], 4), **sizes).state())


def shapes(state: dict[str, torch.Tensor]) -> list[tuple[int, ...]]:
    return [tuple(value.shape) for name, value in state.items() if "deep" in name]


def test_layers_of_one_size_each_are_those_of_one_size_and_a_depth() -> None:
    listed, counted = weights(hidden_sizes="[8, 8]"), weights(hidden_size=8, depth=2)
    assert listed.keys() == counted.keys()
    assert all(torch.equal(listed[name], counted[name]) for name in listed)


def test_a_list_gives_each_layer_its_own_size() -> None:
    assert shapes(weights(hidden_sizes="[12, 6, 3]")) == [
        (12, 8),
        (12,),
        (6, 12),
        (6,),
        (3, 6),
        (3,),
    ]


@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"hidden_size": 8},
        {"depth": 1},
        {"depth": 1, "hidden_sizes": "[8]"},
        {"hidden_size": 8, "hidden_sizes": "[8]"},
        {"hidden_size": 8, "depth": 1, "hidden_sizes": "[8]"},
        {"hidden_sizes": "[]"},
    ],
)
def test_layers_are_told_in_one_way(sizes: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"give hidden_size and depth|at least 1 item"):
        weights(**sizes)


def with_ages(histories: list[list[int]]) -> Training:
    """Learner n is n + 1 years old."""
    training = training_of(histories, 5)
    ages = np.arange(1, len(histories) + 1, dtype=np.float32)[:, None]
    return replace(training, sequences=replace(training.sequences, features=ages))


def plain_score(state: State, history: list[int], age: float, course: int) -> float:
    embedding = state["embedding"]
    read = np.concatenate((faded_mean(embedding, history, 0.5), embedding[history[-1]], [age]))
    for n in (1, 4):  # between them ReLU and dropout
        name = f"encoder.deep.{n}."
        read = relu(state[name + "weight"], state[name + "bias"], read)
    vector = state["project.weight"] @ read + state["project.bias"] + age * state["user"][0]
    score = vector @ state["output"][course] + state["bias"][course]
    pair = (history[-1], course)
    return float(score + (state["encoder.wide"][PAIRS.index(pair)] if pair in PAIRS else 0))


def test_scores_are_the_deep_state_by_the_course_plus_the_weight_of_the_pair() -> None:
    model = model_of(with_ages(HISTORIES), hidden_sizes="[3, 2]", **HALF)
    state = shaken(model.network)
    queries = [[0], [3, 1, 2], [2, 2, 0, 1], [3, 4]]
    ages = torch.arange(len(queries), dtype=torch.float32)[:, None]
    found = model.score(replace(asked(*queries), user_features=ages))
    expected = [
        [plain_score(state, query, float(age), course) for course in range(5)]
        for query, age in zip(queries, ages, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_training_remembers_each_course_with_the_one_right_before_it_once() -> None:
    pairs = pairs_of_windows(training_of(HISTORIES, 5))
    assert [divmod(pair, 5) for pair in pairs.tolist()] == PAIRS
    assert (
        weights(hidden_sizes="[2]")["encoder.wide"].tolist() == [0] * 4
    )  # at first none of them counts


def encoder_of(histories: list[list[int]]) -> tuple[WideDeepEncoder, Float64]:
    encoder = model_of(training_of(histories, 5), hidden_sizes="[2]").network.encoder
    assert isinstance(encoder, WideDeepEncoder)
    return encoder, shaken(encoder)["wide"]


def grid(memory: Memory, n_states: int) -> list[list[float]]:
    """Of each state and course, what is added to its logit."""
    found = torch.zeros(n_states, 5)
    return found.index_put_((memory.state, memory.item), memory.value, accumulate=True).tolist()


def test_the_memory_of_a_state_is_what_followed_its_last_course() -> None:
    encoder, wide = encoder_of(HISTORIES)
    last = torch.tensor([2, 0, 3, 2, 1])
    expected = [
        [float(wide[PAIRS.index((a, b))]) if (a, b) in PAIRS else 0.0 for b in range(5)]
        for a in last.tolist()
    ]
    memory = encoder.memory(last)
    assert len(memory.item) == 8  # no place for what did not follow
    assert grid(memory, 5) == expected
    assert encoder.most_pairs == 2
    padded = encoder.padded_memory(last)
    assert len(padded.item) == 5 * 2
    assert grid(padded, 5) == expected
    every = torch.arange(5).expand(5, 5)
    assert encoder.recall(last[:, None], every).tolist() == expected


def test_who_followed_nobody_leaves_no_memory() -> None:
    encoder, _ = encoder_of([[0], [1]])
    last = torch.tensor([0, 4])
    assert encoder.most_pairs == 0
    assert len(encoder.memory(last).value) == len(encoder.padded_memory(last).value) == 0


def plain_probability(
    state: State, history: list[int], course: int, inputs: Float64, pairs: list[int], crossed: float
) -> float:
    unknown = len(state["embedding.weight"]) - 1
    table, last = state["embedding.weight"], history[-1] if history else unknown
    read = np.concatenate((faded_mean(table, history, 0.5), table[last], table[course], inputs))
    for n in (0, 3):
        name = f"deep.{n}."
        read = relu(state[name + "weight"], state[name + "bias"], read)
    logit = float(state["deep.6.weight"][0] @ read + state["deep.6.bias"][0] + state["base"])
    key = last * (unknown + 1) + course
    of_pair = state["wide_pairs"][pairs.index(key)] if key in pairs else 0.0
    return float(expit(logit + crossed + of_pair))


def test_probabilities_are_those_of_both_parts_logits() -> None:
    fold, targets = purchases()
    config = ASKED | HALF | {"hidden_sizes": "[3, 2]", "batch_size": 4}
    model = classifier_of("wide_deep", config, fold)
    unknown, network = fold.n_items, model.network
    assert isinstance(network, WideDeepLogOdds)
    assert not network.embedding.weight[unknown].any()
    assert 0.05 < network.embedding.weight[:unknown].std() < 0.15
    state = shaken(network)
    examples = looks(targets, unknown)
    of_training = fold.training.examples
    assert of_training is not None
    pairs = sorted(
        {
            (history[-1] if history else unknown) * (unknown + 1) + course
            for history, course, _ in looks(of_training, unknown)
        }
    )
    assert pairs == pairs_of_examples(of_training, unknown).tolist()
    inputs = torch.from_numpy(np.array([known for *_, known in examples], np.float32))
    crossed = network.wide_crosses(inputs).tolist()
    expected = [
        plain_probability(state, *example, pairs, cross)
        for example, cross in zip(examples, crossed, strict=True)
    ]
    np.testing.assert_allclose(probabilities(model, fold, targets), expected, rtol=1e-5)


def test_examples_of_unknown_courses_or_without_a_history_are_pairs_of_their_own() -> None:
    _, targets = purchases()
    pairs = pairs_of_examples(targets, 9)
    expected = {(h[-1] if h else 9) * 10 + course for h, course, _ in looks(targets, 9)}
    assert pairs.tolist() == sorted(expected)
    assert {pair // 10 for pair in expected} >= {9}
    assert {pair % 10 for pair in expected} >= {9}


def test_what_is_asked_of_learners_without_any_event_has_no_last_course() -> None:
    fold, _ = purchases()
    config = ASKED | {"hidden_sizes": "[3]"}
    model = classifier_of("wide_deep", config, fold)
    state = shaken(model.network)
    empty = replace(asked([0], [0]), items=torch.zeros(2, 0, dtype=torch.int64))
    empty = replace(empty, length=torch.zeros(2, dtype=torch.int64))
    assert isinstance(model.network, WideDeepLogOdds)
    states = model.network.states(empty)
    last = state["embedding.weight"][fold.n_items]
    np.testing.assert_allclose(states.detach(), np.tile([*(0 * last), *last], (2, 1)), rtol=1e-6)
