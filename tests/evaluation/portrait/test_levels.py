import numpy as np
import pytest

from recsweep.evaluation.portrait.levels import levels

NAN = float("nan")


def test_a_level_is_in_standard_deviations_of_all_learners() -> None:
    values = np.array([1.0, 3, 5, 7, NAN])
    found = levels(values, np.array([0, 0, 1, 1, 1]), 2)
    assert found.known.tolist() == [2, 2]
    assert found.mean.tolist() == [2, 6]
    assert found.overall == 4
    assert found.standardised == pytest.approx(np.array([-2, 2]) / values[:4].std())


def test_a_number_that_is_the_same_for_all_stands_out_nowhere() -> None:
    assert levels(np.full(4, 2.5), np.array([0, 0, 1, 1]), 2).standardised.tolist() == [0, 0]


def test_a_group_of_which_nothing_is_known_has_no_level() -> None:
    found = levels(np.array([1.0, 2, NAN]), np.array([0, 0, 1]), 2)
    assert found.known.tolist() == [2, 0]
    assert np.isnan(found.standardised[1])


def test_a_column_that_nobody_fills_has_no_level_anywhere() -> None:
    found = levels(np.full(3, NAN), np.array([0, 0, 1]), 2)
    assert np.isnan(found.standardised).all()
