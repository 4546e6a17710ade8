import numpy as np
import pytest

from recsweep.evaluation.portrait.lift import PRIOR, SUPPORT, Lifts, lifts

NOBODY = np.zeros(0, np.int64)


def counted(*rows: list[int], sizes: list[int]) -> Lifts:
    return Lifts(np.array(rows, np.int64), np.array(sizes, np.int64))


def test_a_lift_is_observed_over_expected_learners_drawn_towards_one() -> None:
    found = counted([30, 10], [0, 10], sizes=[50, 50])
    assert found.share.tolist() == [[0.6, 0.2], [0, 0.2]]
    assert found.overall.tolist() == [0.3, 0.2]
    assert found.lift[0, 0] == (30 + PRIOR) / (15 + PRIOR)
    assert found.lift[1, 0] == PRIOR / (15 + PRIOR)
    assert found.lift[:, 1].tolist() == [1, 1]


def test_of_nobody_every_share_is_none() -> None:
    found = counted([0, 0], [0, 0], sizes=[0, 0])
    assert found.share.tolist() == [[0, 0], [0, 0]]
    assert found.overall.tolist() == [0, 0]


def test_a_single_event_does_not_shine() -> None:
    found = counted([1, 60], [0, 40], sizes=[100, 900])
    assert found.share[0, 0] / found.overall[0] == pytest.approx(10)
    assert found.lift[0, 0] < 1.2
    assert found.top(0, 5).tolist() == [1]


def test_what_too_few_learners_have_is_not_told_whatever_its_lift() -> None:
    found = counted([SUPPORT - 1, SUPPORT], [0, 0], sizes=[SUPPORT, 1000])
    assert (found.lift[0] > 1.5).all()
    assert found.top(0, 5).tolist() == [1]


def test_equal_lifts_are_ordered_by_count_and_then_as_they_stand() -> None:
    found = counted([20, 20, 20], [0, 0, 0], sizes=[40, 40])
    assert found.top(0, 2).tolist() == [0, 1]
    assert found.top(0, 3).tolist() == [0, 1, 2]


def test_with_one_group_nothing_is_lifted() -> None:
    found = counted([20, 7], sizes=[40])
    assert found.lift.tolist() == [[1, 1]]
    assert not len(found.top(0, 5))


def test_a_group_of_nobody_and_a_value_of_nobody_are_zero() -> None:
    found = counted([10, 0], [0, 0], sizes=[20, 0])
    assert found.share.tolist() == [[0.5, 0], [0, 0]]
    assert np.isfinite(found.lift).all()
    assert not len(found.top(1, 5))


def test_a_learner_alone_in_a_group_is_all_of_it() -> None:
    found = counted([1, 0], [0, 0], sizes=[1, 0])
    assert found.share[0].tolist() == [1, 0]
    assert found.overall.tolist() == [1, 0]


def test_learners_are_counted_once_and_only_those_that_are_known() -> None:
    owner, value = np.array([0, 0, 0, 2, 3]), np.array([1, 1, 0, 1, 1])
    labels = np.array([0, 0, 1, 1])
    found = lifts(owner, value, 2, labels, 2, known=np.array([0, 2, 3]))
    assert found.counts.tolist() == [[1, 1], [0, 2]]
    assert found.sizes.tolist() == [1, 2]


def test_nothing_to_count_gives_groups_without_values() -> None:
    found = lifts(NOBODY, NOBODY, 0, np.array([0, 1]), 2, NOBODY)
    assert found.counts.shape == (2, 0)
    assert not len(found.top(0, 5))


def test_the_higher_lift_comes_first() -> None:
    found = counted([10, 30], [0, 0], sizes=[40, 40])
    assert found.lift[0].tolist() == [15 / 10, 35 / 20]
    assert found.top(0, 5).tolist() == [1, 0]


def test_of_three_values_each_is_counted_for_whose_it_is() -> None:
    owner, value = np.array([0, 1, 1, 2]), np.array([2, 0, 2, 1])
    found = lifts(owner, value, 3, np.array([0, 1, 0]), 2, known=np.arange(3))
    assert found.counts.tolist() == [[0, 1, 1], [1, 0, 1]]
