import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from recsweep.evaluation.learner_groups import (
    NOT_KNOWN,
    OTHERS,
    LearnerGroups,
    group_means,
    grouped,
    largest_gap,
)


def learners(*sizes: int) -> LearnerGroups:
    of = np.repeat(np.arange(len(sizes)), sizes)
    return LearnerGroups({f"g{n}": of == n for n in range(len(sizes))})


def test_the_gap_of_two_groups_has_welchs_interval() -> None:
    values, groups = np.random.default_rng(0).random((1, 40)), learners(10, 30)
    a, b = values[0, :10], values[0, 10:]
    gap = largest_gap(values, groups)
    assert gap is not None
    high, low = (a, b) if a.mean() > b.mean() else (b, a)
    reference = stats.ttest_ind(high, low, equal_var=False).confidence_interval(0.95)
    assert gap.difference == pytest.approx(high.mean() - low.mean())
    assert_allclose([gap.lower, gap.upper], reference)


def test_of_several_groups_the_largest_gap_is_taken_and_its_interval_is_of_all_pairs() -> None:
    values, groups = np.random.default_rng(0).random((1, 60)), learners(20, 20, 20)
    values[:, :20] += 1
    values[:, 40:] -= 1
    gap = largest_gap(values, groups)
    assert gap is not None
    assert (gap.highest, gap.lowest) == ("g0", "g2")
    test = stats.ttest_ind(values[0, :20], values[0, 40:], equal_var=False)
    assert_allclose([gap.lower, gap.upper], test.confidence_interval(1 - 0.05 / 3))


def test_the_intervals_of_means_hold_for_all_groups_together() -> None:
    values, groups = np.random.default_rng(0).random((1, 40)), learners(10, 30)
    means = group_means(values, groups)
    own = values[0, :10]
    reference = stats.ttest_1samp(own, 0).confidence_interval(1 - 0.05 / 2)
    assert_allclose(means["g0"], (own.mean(), *reference))


def test_a_seed_that_moves_all_learners_alike_makes_no_gap_uncertain() -> None:
    values, groups = np.random.default_rng(0).random((1, 40)), learners(10, 30)
    moved = values + np.array([[-1.0], [0.0], [1.0]])
    one, three = largest_gap(values, groups), largest_gap(moved, groups)
    assert one is not None
    assert three is not None
    assert_allclose([three.lower, three.upper], [one.lower, one.upper])


def test_a_seed_that_moves_one_group_makes_its_gap_uncertain() -> None:
    values, groups = np.random.default_rng(0).random((1, 40)), learners(10, 30)
    moved = np.repeat(values, 3, axis=0)
    moved[:, :10] += np.array([[-0.5], [0.0], [0.5]])
    one, three = largest_gap(values, groups), largest_gap(moved, groups)
    assert one is not None
    assert three is not None
    assert three.upper - three.lower > 2 * (one.upper - one.lower)


def test_where_groups_do_not_differ_the_interval_leaves_out_0_in_at_most_a_twentieth() -> None:
    random, groups = np.random.default_rng(0), learners(20, 30, 60, 25)
    spread = np.repeat([1.0, 2.0, 0.5, 1.0], [20, 30, 60, 25])
    gaps = [largest_gap(spread * random.standard_normal((1, 135)), groups) for _ in range(500)]
    found = np.mean([gap is not None and gap.lower > 0 for gap in gaps])
    assert 0.005 < found < 0.075


def test_one_group_has_no_gap() -> None:
    assert largest_gap(np.ones((1, 10)), learners(10)) is None


def test_groups_of_too_few_learners_are_pooled() -> None:
    values = pl.Series(["a"] * 5 + ["b"] * 2 + ["c"] * 3 + [None] * 4)
    groups = grouped(values, smallest=4)
    assert {name: int(mask.sum()) for name, mask in groups.members.items()} == {
        "a": 5,
        NOT_KNOWN: 4,
        OTHERS: 5,
    }
    assert (groups.pooled, groups.withheld) == (("b", "c"), 0)
    assert groups.members[OTHERS].tolist() == [False] * 5 + [True] * 5 + [False] * 4


def test_groups_that_are_too_few_even_together_are_withheld() -> None:
    groups = grouped(pl.Series(["a"] * 5 + ["b"] * 2 + ["c"]), smallest=4)
    assert list(groups.members) == ["a"]
    assert (groups.pooled, groups.withheld) == (("b", "c"), 3)
    alone = grouped(pl.Series(["a"] * 5 + ["b"]), smallest=4)
    assert ([*alone.members], alone.withheld) == (["a"], 1)


def test_numbers_are_cut_into_thirds() -> None:
    values = pl.Series([3.0, 1.0, 2.0, 6.0, 5.0, 4.0, None, None])
    groups = grouped(values, smallest=2)
    assert {name: np.flatnonzero(mask).tolist() for name, mask in groups.members.items()} == {
        "≤ 2": [1, 2],
        "(2, 4]": [0, 5],
        "> 4": [3, 4],
        NOT_KNOWN: [6, 7],
    }


def test_a_number_that_all_share_is_one_group() -> None:
    assert list(grouped(pl.Series([1, 1, 1]), smallest=2).members) == ["≤ 1"]
