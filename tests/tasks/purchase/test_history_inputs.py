from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from purchases import fold_of, random_log

from recsweep.data.clock import DAY
from recsweep.data.features.events import EventEncoder
from recsweep.data.likeness import LIKENESS
from recsweep.data.types import BOUGHT, KINDS, UNKNOWN
from recsweep.tasks.purchase import history_inputs
from recsweep.tasks.purchase.history_inputs import (
    CourseCounts,
    CourseTotals,
    HistoryInputs,
    _means,
)
from recsweep.testing.worlds import whole_world

LOOK = KINDS.index("browse")

events = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), min_size=1, max_size=30)


@given(counted=events, asked=events)
def test_a_course_counts_what_is_strictly_earlier_than_the_example(
    counted: list[tuple[int, int]], asked: list[tuple[int, int]]
) -> None:
    item, time = np.array(counted).T
    counts = CourseCounts.of(item.astype(np.int32), time)
    of, at = np.array(asked).T
    expected = [sum(i == j and t < s for i, t in counted) for j, s in asked]
    assert counts.before(of.astype(np.int32), at).tolist() == expected


def test_means_of_runs_of_rows_are_theirs_alone_and_those_of_none_are_0() -> None:
    values = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    start, end = np.array([0, 2, 5, 8, 4]), np.array([9, 5, 6, 9, 4])
    runs = zip(start, end, strict=True)
    expected = [values[a:b].mean(axis=0) if b > a else [0, 0] for a, b in runs]
    assert np.allclose(_means(values, start, end), expected, atol=1e-5)


def test_every_number_is_that_of_the_events_strictly_before_the_example() -> None:
    """Against loops over each learner's events."""
    split = whole_world("purchase", {})
    events, index = split.dataset.development, split.learned.index
    rows = np.arange(0, len(events), 3)
    dwell = np.random.default_rng(0).normal(size=(len(events), 1)).astype(np.float32)
    counts = CourseCounts.of(index, events.time)
    kinds = (LOOK, BOUGHT)
    inputs = HistoryInputs(kinds, counts, split.learned.encoder, ablation=False)
    found, _ = inputs.of(events, index, rows, dwell)
    expected = []
    for row in rows:
        mine = np.flatnonzero((events.user == events.user[row]) & (events.time < events.time[row]))
        same = mine[events.item[mine] == events.item[row]]
        anybody = np.sum((index == index[row]) & (events.time < events.time[row]))
        days = (events.time[row] - events.time[mine[-1]]) / DAY if len(mine) else 0
        numbers = [
            *(np.log1p(np.sum(events.kind[mine] == kind)) for kind in kinds),
            np.log1p(days),
            len(mine) == 0,
            np.log1p(len(same)),
            np.log1p(anybody),
            dwell[mine].mean() if len(mine) else 0,
            dwell[mine[-1], 0] if len(mine) else 0,
            dwell[same].mean() if len(same) else 0,
        ]
        expected.append(numbers)
    others = np.delete(found, inputs.columns.index(LIKENESS), axis=1)
    np.testing.assert_allclose(others, np.array(expected, float), atol=1e-4)
    assert len(inputs.columns) == found.shape[1]


@pytest.mark.parametrize("chunk", [1, 50, 1 << 18])
def test_a_course_is_alike_by_the_cosine_with_what_is_summed_over_the_history(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_inputs, "CHUNK", chunk)
    split = whole_world("purchase", {})
    events, encoder = split.dataset.development, split.learned.encoder
    rows = np.arange(0, len(events), 5)
    counts = CourseCounts.of(split.learned.index, events.time)
    inputs = HistoryInputs((LOOK,), counts, encoder, ablation=True)
    found, parts = inputs.of(events, split.learned.index, rows, None)
    alike = found[:, inputs.columns.index(LIKENESS)]
    sources = np.array(encoder.of_items.sources)
    assert {*sources} == {"price", "level"}
    features = encoder.items(events.item, events.time - 1).astype(np.float64)
    assert parts is not None
    assert parts.shape == (len(rows), 2, 3)
    for n, row in enumerate(rows):
        mine = (events.user == events.user[row]) & (events.time < events.time[row])
        total, own = features[mine].sum(axis=0), features[row]
        size = np.linalg.norm(total) * np.linalg.norm(own)
        assert alike[n] == pytest.approx(total @ own / size if size else 0, abs=1e-5)
        for k, column in enumerate(dict.fromkeys(sources)):
            of = sources == column
            want = (total[of] @ own[of], total[of] @ total[of], own[of] @ own[of])
            assert parts[n, k] == pytest.approx(want, abs=1e-5)
    plain = HistoryInputs((LOOK,), counts, encoder, ablation=False)
    again, nothing = plain.of(events, split.learned.index, rows, None)
    assert nothing is None
    np.testing.assert_array_equal(again, found)


def test_the_numbers_of_a_history_have_their_names_and_come_in_that_order() -> None:
    split = whole_world("purchase", {})
    counts = CourseCounts.of(split.learned.index, split.dataset.development.time)
    inputs = HistoryInputs((LOOK, BOUGHT), counts, split.learned.encoder, ablation=False)
    assert inputs.columns == [
        "history: browse events",
        "history: purchase events",
        "history: days since the last event",
        "history: none",
        "history: events on this course",
        LIKENESS,
        "course: events",
        "event.dwell (mean)",
        "event.dwell (last)",
        "event.dwell (this course)",
    ]
    without = replace(split.learned.encoder, of_events=EventEncoder())
    assert HistoryInputs((), counts, without, ablation=False).columns == inputs.columns[2:7]


def test_of_a_course_beyond_the_catalogue_no_event_is_counted() -> None:
    split = whole_world("purchase", {})
    events = split.dataset.development
    index = np.where(events.item == 0, UNKNOWN, split.learned.index).astype(np.int32)
    counts = CourseTotals(np.full(len(split.learned.items), 6))
    inputs = HistoryInputs((), counts, split.learned.encoder, ablation=False)
    found, _ = inputs.of(events, index, np.arange(len(events)), None)
    want = np.where(index == UNKNOWN, 0, np.log1p(6))
    at = inputs.columns.index("course: events")
    np.testing.assert_allclose(found[:, at], want, rtol=1e-6)
    assert found.dtype == np.float32


def test_what_is_summed_of_one_learner_moves_no_bit_of_anothers_mean() -> None:
    values = np.array([[0.1], [0.2], [0.3], [1e6 / 7]], np.float32)
    alone = _means(values[:3], np.array([0]), np.array([3]))
    behind = _means(values[[3, 0, 1, 2]], np.array([1]), np.array([4]))
    assert alone.tobytes() == behind.tobytes()
    assert alone[0, 0] == pytest.approx(0.2, abs=2**-20)
    assert _means(values, np.array([1]), np.array([1])).tolist() == [[0]]


def test_before_the_first_moment_nothing_is_counted_and_after_the_last_everything() -> None:
    counts = CourseCounts.of(np.array([1, 0, 1], np.int32), np.array([5, 5, 7]))
    asked = np.array([1, 1, 1, 1, 0, 2], np.int32)
    assert counts.before(asked, np.array([4, 5, 6, 8, 9, 9])).tolist() == [0, 0, 1, 2, 1, 0]


def test_with_one_number_a_course_is_alike_or_opposite_however_near_the_mean_it_is() -> None:
    labels = fold_of(random_log(1)).validation.labels
    assert labels is not None
    alike = labels.inputs[:, labels.columns.index(LIKENESS)]
    none = labels.inputs[:, labels.columns.index("history: none")] == 1
    own = labels.inputs[:, labels.columns.index("price")]
    assert (np.abs(own) < 0.3).any()
    assert not alike[none].any()
    assert np.abs(alike[~none]) == pytest.approx(1)
