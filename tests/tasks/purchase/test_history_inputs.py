import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsweep.tasks.purchase.history_inputs import CourseCounts, _means

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
