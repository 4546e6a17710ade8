from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from recsweep.evaluation.budget_curves import expected_best, expected_best_by_seconds


def by_enumeration(values: list[float]) -> list[float]:
    return [
        float(np.mean([max(subset) for subset in combinations(values, n)]))
        for n in range(1, len(values) + 1)
    ]


@given(st.lists(st.sampled_from([0.0, 0.1, 0.1001, 0.25, 0.9]), min_size=1, max_size=9))
def test_the_mean_over_every_subset_ties_included(values: list[float]) -> None:
    assert_allclose(expected_best(values), by_enumeration(values), atol=1e-12)


def test_three_trials_worked_by_hand() -> None:
    # Pairs of (.1, .4, .2): best .4, .2, .4.
    assert_allclose(expected_best([0.1, 0.4, 0.2]), [0.7 / 3, 1.0 / 3, 0.4])


def test_a_failed_trial_spends_budget_and_finds_nothing() -> None:
    assert_allclose(expected_best([None, 0.4, float("nan")]), by_enumeration([0, 0.4, 0]))
    assert_allclose(expected_best([None, None]), [0, 0])
    assert_allclose(expected_best([None, -3.0], floor=-5.0), [-4, -3])


def test_the_curve_rises_to_the_best_even_for_thousands_of_trials() -> None:
    values = np.random.default_rng(0).random(1500)
    curve = expected_best(values.tolist())
    assert np.isfinite(curve).all()
    assert (np.diff(curve) >= -1e-9).all()
    assert_allclose([curve[0], curve[-1]], [values.mean(), values.max()], rtol=1e-9)


def test_no_trials_no_curve() -> None:
    assert expected_best([]).shape == (0,)


def test_by_seconds_it_is_the_mean_over_every_order() -> None:
    values, seconds, at = [0.1, 0.4, None, 0.2], [1.0, 5.0, 2.0, 3.0], [0, 1, 3, 5.5, 8, 11, 99]
    numbers = [0.1, 0.4, 0.0, 0.2]
    exact = []
    for limit in at:
        best = []
        for order in permutations(range(4)):
            spent, found = 0.0, 0.0
            for trial in order:
                spent += seconds[trial]
                if spent <= limit:
                    found = max(found, numbers[trial])
            best.append(found)
        exact.append(np.mean(best))
    curve = expected_best_by_seconds(values, seconds, at, orders=20_000)
    assert_allclose(curve, exact, atol=0.004)
    assert_allclose(curve[[0, -2, -1]], [0, 0.4, 0.4])


def test_trials_of_equal_length_give_the_curve_by_trials() -> None:
    values = np.random.default_rng(1).random(12).tolist()
    curve = expected_best_by_seconds(values, [0.1] * 12, [0.1 * n for n in range(1, 13)])
    assert_allclose(curve, expected_best(values), atol=0.03)


def test_the_same_seed_repeats_the_curve() -> None:
    arguments = ([0.1, 0.5, 0.3], [1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    assert_allclose(
        expected_best_by_seconds(*arguments, seed=4), expected_best_by_seconds(*arguments, seed=4)
    )


def test_a_duration_is_needed_for_every_trial() -> None:
    with pytest.raises(ValueError, match="2 values, but 1 durations"):
        expected_best_by_seconds([0.1, 0.2], [1.0], [1.0])
