import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recsweep.evaluation.power import paired_spread, smallest_shown


@pytest.mark.parametrize("learners", [10, 30, 100, 1000])
@pytest.mark.parametrize("contrasts", [1, 4, 21])
def test_a_difference_of_that_size_is_shown_in_80_of_100_samples(
    learners: int, contrasts: int
) -> None:
    difference = smallest_shown(0.2, learners, contrasts)
    critical = stats.t.isf(0.025 / contrasts, learners - 1)
    shift = difference / 0.2 * learners**0.5
    power = stats.nct.sf(critical, learners - 1, shift)  # the exact power of the t test
    assert power == pytest.approx(0.8, abs=0.025 if learners > 10 else 0.08)


@given(
    spread=st.floats(0.01, 2),
    learners=st.integers(2, 5000),
    contrasts=st.integers(1, 20),
)
def test_more_learners_and_fewer_contrasts_show_smaller_differences(
    spread: float, learners: int, contrasts: int
) -> None:
    here = smallest_shown(spread, learners, contrasts)
    assert smallest_shown(spread, 4 * learners, contrasts) < here / 1.9
    assert smallest_shown(spread, learners, contrasts + 1) > here
    assert smallest_shown(2 * spread, learners, contrasts) == pytest.approx(2 * here)


def test_the_spread_is_pooled_within_folds() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0, 1, (2, 2, 50))
    a[1] += 100  # a fold that is easier for one family is no spread over learners
    pooled = np.sqrt(((a - b)[0].var(ddof=1) + (a - b)[1].var(ddof=1)) / 2)
    assert paired_spread(a, b) == pytest.approx(pooled)
    assert np.isnan(paired_spread([a[0][:1]], [b[0][:1]]))
