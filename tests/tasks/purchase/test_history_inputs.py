import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsweep.tasks.purchase.history_inputs import CourseCounts

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
