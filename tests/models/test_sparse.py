"""Weighted sums of histories against their plain definition."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from worlds import training_of

from recsweep.data.types import KINDS
from recsweep.models import sparse
from recsweep.models.fading import FadingConfig
from recsweep.models.protocol import Histories
from recsweep.models.weights import TrainingWeights

FADING = [
    FadingConfig(),
    FadingConfig(fading="step", fading_weight=0.5),
    FadingConfig(fading="instant", fading_weight=0.5),
    FadingConfig(fading="time", half_life_days=1 / 86_400e6),  # a microsecond
]


def age(fading: FadingConfig, times: list[int]) -> int:
    """Of a history's first event, seen from its last, in halvings."""
    of = {"none": 0, "step": len(times) - 1, "instant": len(set(times)) - 1}
    return of.get(fading.fading, times[-1] - times[0])


@given(
    courses=st.lists(st.integers(0, 4), min_size=1, max_size=12),
    gaps=st.lists(st.integers(0, 2), min_size=12, max_size=12),
    lengths=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 12)), min_size=1, max_size=6),
    fading=st.sampled_from(FADING),
    instants=st.sampled_from([None, 1, 2, 30]),
    long=st.sampled_from([1, 3, 4096]),
    entries=st.sampled_from([1, 5, 4096]),
)
@settings(max_examples=50)
def test_an_event_weighs_by_its_age_however_long_the_history_and_whoever_asks_beside(
    courses: list[int],
    gaps: list[int],
    lengths: list[tuple[int, int]],
    fading: FadingConfig,
    instants: int | None,
    long: int,
    entries: int,
) -> None:
    rows = [courses, courses[::-1]]
    times = np.cumsum(gaps[: len(courses)]).tolist()
    asked = [(row, min(length, len(courses))) for row, length in lengths]
    histories = Histories(
        items=torch.tensor(rows),
        user_features=torch.zeros(2, 0),
        row=torch.tensor([row for row, _ in asked]),
        length=torch.tensor([length for _, length in asked]),
        time=torch.tensor([times, times]),
    )
    expected = np.zeros((len(asked), 5))
    for query, (row, length) in enumerate(asked):
        for place in range(length):
            seen = times[place:length]
            if instants is None or len(set(seen)) <= instants:
                expected[query, rows[row][place]] += math.exp2(-age(fading, seen))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse, "LONG", long)
        patch.setattr(sparse, "ENTRIES", entries)
        found = list(sparse.faded_histories(histories, fading, 5, instants))
    assert {part.dtype for part in found} == {np.dtype(np.float32)}
    np.testing.assert_allclose(np.concatenate([part.toarray() for part in found]), expected, 1e-6)


def test_interactions_count_or_weigh_and_hold_nothing_that_weighs_nothing() -> None:
    training = training_of([[0, 1, 1], [2], [3, 0]], n_items=5)
    assert sparse.interactions(training).toarray().tolist() == [
        [1, 2, 0, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, 1, 0]
    ]  # fmt: skip
    browse, purchase = KINDS.index("browse"), KINDS.index("purchase")
    kind = np.array([browse, purchase, purchase, purchase, browse, purchase], np.int8)
    told = replace(training, sequences=replace(training.sequences, kind=kind))
    found = sparse.interactions(told, TrainingWeights(weight_browse=0.0))
    mean = 4 / 6
    np.testing.assert_allclose(
        found.toarray(), np.array([[0, 2, 0, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0]]) / mean
    )
    assert found.dtype == np.float32
    assert found.nnz == 3


def test_a_matrix_is_what_was_saved_of_it() -> None:
    dense = np.array([[0, 2.5, 0], [0, 0, 0], [1, 0, 3]], np.float32)
    matrix = csr_matrix(dense)
    state = sparse.to_state(matrix)
    assert {name: each.dtype for name, each in state.items()} == {
        "start": torch.int64, "item": torch.int64, "value": torch.float32
    }  # fmt: skip
    matrix.data[:] = 0
    found = sparse.from_state(state)
    assert found.shape == (3, 3)
    np.testing.assert_array_equal(found.toarray(), dense)


def test_an_instant_begins_at_its_first_place_in_the_row_that_is_asked() -> None:
    number = np.array([[0, 0, 1, 3], [0, 1, 1, 1]])
    row, first = np.array([0, 0, 0, 0, 1, 1, 1]), np.array([-2, 0, 1, 2, 0, 1, 2])
    found = sparse._first_of_instants(number, row, first)
    assert found.tolist() == [0, 0, 2, 3, 0, 1, 4]


@pytest.mark.parametrize(
    ("length", "queries", "rows"),
    [(2, 4, [2, 2]), (4, 6, [4, 2]), (1, 4, [4])],  # of four events three are added up once
)
def test_so_many_queries_come_at_once_as_have_about_so_many_events_of_their_own(
    length: int, queries: int, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse, "ENTRIES", 5)
    monkeypatch.setattr(sparse, "LONG", 3)
    row = torch.zeros(queries, dtype=torch.int64)
    asked = Histories(torch.tensor([[0, 1, 2, 0]]), torch.zeros(1, 0), row, row + length)
    found = [*sparse.faded_histories(asked, FadingConfig(), 3)]
    assert [part.shape for part in found] == [(n, 3) for n in rows]
