"""Two array idioms against plain loops."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsweep.data.arrays import changes, ranges


@given(st.lists(st.integers(0, 2), max_size=8))
def test_a_change_is_a_value_that_differs_from_the_one_before_and_the_first_is_one(
    column: list[int],
) -> None:
    expected = [n == 0 or value != column[n - 1] for n, value in enumerate(column)]
    assert changes(np.array(column, np.int64)).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=6))
def test_ranges_count_up_from_each_start_one_range_after_another(
    pairs: list[tuple[int, int]],
) -> None:
    starts, lengths = np.array(pairs, np.int64).reshape(-1, 2).T
    expected = [start + n for start, length in pairs for n in range(length)]
    assert ranges(starts, lengths).tolist() == expected
