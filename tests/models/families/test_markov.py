"""`markov` against its definition by plain loops."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch
from families import CPU, FAMILIES, asked
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import training_of

from recsweep.data.types import KINDS, Training
from recsweep.models.families import markov
from recsweep.models.protocol import Context, Histories, Recommender

N = 5
INSTANTS = st.lists(st.lists(st.integers(0, N - 1), min_size=1, max_size=3), min_size=1, max_size=5)
"""A history: the courses of each of its instants."""
BOUGHT = KINDS.index("purchase")


def training_at(histories: list[list[list[int]]]) -> Training:
    """Every third event is a purchase."""
    training = training_of([[i for instant in h for i in instant] for h in histories], N)
    at = [number for h in histories for number, instant in enumerate(h) for _ in instant]
    kind = np.where(np.arange(len(at)) % 3 == 2, BOUGHT, 0).astype(np.int8)
    sequences = replace(training.sequences, time=np.array(at, np.int64), kind=kind)
    return replace(training, sequences=sequences)


def asked_at(*histories: list[list[int]]) -> Histories:
    found = asked(*([i for instant in h for i in instant] for h in histories))
    time = torch.zeros_like(found.items)
    for row, history in enumerate(histories):
        at = [number for number, instant in enumerate(history) for _ in instant]
        time[row, : len(at)] = torch.tensor(at)
    return replace(found, time=time)


def fitted(training: Training, config: dict[str, object]) -> Recommender:
    model: Recommender = FAMILIES["markov"].model(config, Context(training, 0, CPU, "fp32"))
    model.fit_epoch()
    return model


def naive(
    histories: list[list[list[int]]], query: list[list[int]], memory: int, kept: float, dear: float
) -> list[float]:
    """Scores, where a purchase weighs `dear` times a look."""
    weights: list[list[list[float]]] = []
    number = 0
    for history in histories:
        weights.append([])
        for instant in history:
            came = []
            for _ in instant:
                came.append(dear if number % 3 == 2 else 1.0)
                number += 1
            weights[-1].append(came)
    mean = sum(w for h in weights for instant in h for w in instant) / number
    followed: dict[tuple[int, int], float] = defaultdict(float)
    counts = [0.0] * N
    for history, weighed in zip(histories, weights, strict=True):
        for n, instant in enumerate(history):
            for item, w in zip(instant, weighed[n], strict=True):
                counts[item] += w / mean
                if n:
                    for before in history[n - 1]:
                        followed[before, item] += w / mean / len(history[n - 1])
    scores = []
    for item in range(N):
        evidence = sum(
            kept**ago * followed[i, item]
            for ago, instant in enumerate(reversed(query[-memory:]))
            for i in instant
        )
        score = 1 + evidence if evidence > 0 else 0.0
        scores.append(score + 1e-3 * counts[item] / (max(counts) + 1))
    return scores


@given(
    histories=st.lists(INSTANTS, min_size=1, max_size=5),
    queries=st.lists(INSTANTS, min_size=1, max_size=2).map(lambda some: some * N),
    memory=st.integers(1, 3),
    kept=st.sampled_from([1.0, 0.5]),
    dear=st.sampled_from([1.0, 3.0]),
    block=st.sampled_from([1, 2 * N, markov.BLOCK_VALUES]),
)
@settings(max_examples=40)
def test_scores_are_their_plain_definition_however_little_is_dense_at_once(
    histories: list[list[list[int]]],
    queries: list[list[list[int]]],
    memory: int,
    kept: float,
    dear: float,
    block: int,
) -> None:
    fading = {"fading": "instant", "fading_weight": kept}
    model = fitted(training_at(histories), {"memory": memory, "weight_purchase": dear, **fading})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markov, "BLOCK_VALUES", block)
        found = model.score(asked_at(*queries))
    expected = [naive(histories, query, memory, kept, dear) for query in queries]
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5)


WORLD = [[[0, 1], [2], [0]], [[1], [2, 3]], [[2], [4]]]


def test_the_instant_before_shares_its_one_transition_among_its_courses() -> None:
    model = fitted(training_at(WORLD), {"memory": 1})
    found = model.score(asked_at([[0]], [[4], [1]], [[1], [4]]))
    popular = np.array([2, 2, 3, 1, 1]) / 4 * 1e-3  # below 1: the most popular has 3
    followed = np.array([[0, 0, 1.5, 0, 0], [0, 0, 2.5, 2, 0], [0, 0, 0, 0, 0]])
    np.testing.assert_allclose(found, followed + popular, rtol=1e-6)


def test_a_state_is_all_that_scores_need_and_a_copy() -> None:
    training = training_at(WORLD)
    model = fitted(training, {"memory": 2})
    before = model.score(asked_at([[0], [2]]))
    state = model.state()
    other: Recommender = FAMILIES["markov"].model({"memory": 2}, Context(training, 1, CPU, "fp32"))
    assert not other.score(asked_at([[0], [2]])).any()  # nothing is known before training
    other.load_state(state)
    assert torch.equal(other.score(asked_at([[0], [2]])), before)
    for value in state.values():
        value.zero_()
    assert torch.equal(model.score(asked_at([[0], [2]])), before)
