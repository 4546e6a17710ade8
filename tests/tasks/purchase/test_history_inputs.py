import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.clock import DAY
from recsweep.data.likeness import LIKENESS
from recsweep.data.types import BOUGHT, KINDS
from recsweep.tasks.purchase.history_inputs import CourseCounts, HistoryInputs, _means
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
