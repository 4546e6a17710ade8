import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsweep.evaluation.exposure import EXPOSURE, coverage, gini, long_tail, over_groups

exposures = st.lists(st.integers(0, 20), min_size=1, max_size=12).filter(any)


@given(exposures)
def test_gini_is_half_the_mean_difference_of_two_courses_over_the_mean(shown: list[int]) -> None:
    n = len(shown)
    mean_difference = sum(abs(a - b) for a in shown for b in shown) / n**2
    plain = mean_difference / (2 * sum(shown) / n)
    assert gini(np.array(shown, float)) == pytest.approx(plain)


def test_one_course_for_all_is_as_uneven_as_can_be_and_none_is_even() -> None:
    assert gini(np.array([0.0, 0.0, 0.0, 9.0])) == pytest.approx(3 / 4)
    assert gini(np.array([2.0, 2.0, 2.0])) == 0
    assert gini(np.zeros(3)) == 0
    assert coverage(np.array([0.0, 0.5, 3.0, 0.0])) == 0.5


@given(st.lists(st.lists(st.integers(0, 5), min_size=4, max_size=4), min_size=2, max_size=6))
def test_pseudo_values_have_the_figure_of_all_lists_as_their_mean(shown: list[list[int]]) -> None:
    exposure = np.array(shown, float)
    for figure in EXPOSURE.values():
        found = over_groups(figure, exposure)
        assert found.shape == (len(shown),)
        assert found.mean() == pytest.approx(figure(exposure.sum(axis=0)))
        n = len(shown)
        without = np.array([figure(np.delete(exposure, out, 0).sum(axis=0)) for out in range(n)])
        apart = (n - 1) * (without.mean() - without)
        np.testing.assert_allclose(found - found.mean(), apart, atol=1e-12)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9).filter(any))
def test_the_short_head_is_the_fewest_courses_with_80_percent_of_events(counts: list[int]) -> None:
    order = sorted(range(len(counts)), key=lambda item: (-counts[item], item))
    head, held = set(), 0
    for item in order:
        if held >= 0.8 * sum(counts):
            break
        head.add(item)
        held += counts[item]
    assert long_tail(np.array(counts, float)).tolist() == [
        i not in head for i in range(len(counts))
    ]
