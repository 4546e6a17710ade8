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
from recsweep.evaluation.variance import seed_spread


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


def test_a_gap_over_seeds_has_the_freedom_of_its_parts() -> None:
    """Welch's variance over learners, and that over seeds of the difference of both groups."""
    random = np.random.default_rng(2)
    values = random.random((4, 25)) + random.normal(0, 0.5, (4, 1)) * (np.arange(25) < 10)
    gap = largest_gap(values, learners(10, 15), level=0.9)
    assert gap is not None
    a, b = values[:, :10], values[:, 10:]
    a, b = (a, b) if a.mean() > b.mean() else (b, a)
    parts = [part.mean(axis=0).var(ddof=1) / part.shape[1] for part in (a, b)]
    of_learners = sum(parts)
    welch = of_learners**2 / sum(
        square**2 / (part.shape[1] - 1) for square, part in zip(parts, (a, b), strict=True)
    )
    between = (a.mean(axis=1) - b.mean(axis=1)).var(ddof=1) / 4
    interaction = seed_spread(a).interaction + seed_spread(b).interaction
    total = of_learners + between - interaction
    uncertain = of_learners**2 / welch + (between**2 + interaction**2 / welch) / 3
    half = stats.t.isf(0.05, max(total**2 / uncertain, 3)) * total**0.5
    assert gap.difference == pytest.approx(a.mean() - b.mean())
    assert_allclose((gap.lower, gap.upper), (gap.difference - half, gap.difference + half))


def test_groups_within_which_nobody_differs_leave_no_doubt() -> None:
    values = np.repeat([[0.25, 0.75]], [4, 6], axis=1)
    gap = largest_gap(values, learners(4, 6))
    assert gap is not None
    assert (gap.highest, gap.lowest) == ("g1", "g0")
    assert (gap.difference, gap.lower, gap.upper) == (0.5, 0.5, 0.5)


def test_seeds_alone_have_the_freedom_of_seeds() -> None:
    values = np.repeat([[0.25, 0.75]], [4, 6], axis=1) + np.array([[0.0], [0.1], [0.4]]) * (
        np.arange(10) < 4
    )
    gap = largest_gap(values, learners(4, 6))
    assert gap is not None
    apart = 0.5 - np.array([0.0, 0.1, 0.4])
    reference = stats.ttest_1samp(apart, 0).confidence_interval(0.95)
    assert_allclose((gap.lower, gap.upper), reference)


def test_the_larger_of_other_groups_comes_first_and_numbers_come_in_their_order() -> None:
    words = grouped(pl.Series(["b"] * 2 + ["c"] * 3 + ["a"] * 3), smallest=2)
    assert [*words.members] == ["a", "c", "b"]
    numbers = grouped(pl.Series([9.0] * 4 + [None] * 5 + [1.0] * 2 + [5.0] * 3), smallest=2)
    assert [*numbers.members] == ["≤ 5", "(5, 9]", NOT_KNOWN]
    two = grouped(pl.Series([1, 2]), smallest=1)
    assert [*two.members] == ["≤ 1", "> 1"]


def test_groups_of_just_so_many_learners_are_told() -> None:
    groups = grouped(pl.Series(["a"] * 3 + ["b"] * 2 + ["c"]), smallest=3)
    assert ([*groups.members], groups.pooled, groups.withheld) == (["a", OTHERS], ("b", "c"), 0)
    alone = grouped(pl.Series(["a"] * 3), smallest=3)
    assert ([*alone.members], alone.pooled, alone.withheld) == (["a"], (), 0)


def test_a_column_of_numbers_that_nobody_fills_is_one_group() -> None:
    groups = grouped(pl.Series([None, None], dtype=pl.Float64), smallest=1)
    assert [*groups.members] == [NOT_KNOWN]


def test_no_group_has_no_mean_and_no_gap() -> None:
    nobody = LearnerGroups({})
    assert group_means(np.ones((2, 3)), nobody) == {}
    assert largest_gap(np.ones((2, 3)), nobody) is None


def test_a_single_groups_interval_is_its_own() -> None:
    values = np.random.default_rng(3).random((1, 12))
    reference = stats.ttest_1samp(values[0], 0).confidence_interval(0.95)
    assert_allclose(group_means(values, learners(12))["g0"], (values.mean(), *reference))


def test_two_seeds_and_groups_of_two_are_enough() -> None:
    values = np.repeat([[0.25, 0.75]], [2, 3], axis=1)
    gap = largest_gap(values, learners(2, 3))
    assert gap is not None
    assert (gap.lower, gap.upper) == (0.5, 0.5)
    moved = largest_gap(values + np.array([[0.0], [0.2]]) * (np.arange(5) < 2), learners(2, 3))
    assert moved is not None
    reference = stats.ttest_1samp([0.5, 0.3], 0).confidence_interval(0.95)
    assert_allclose((moved.lower, moved.upper), reference)


def test_no_gap_reaches_beyond_what_it_can_be() -> None:
    apart = np.array([[0.0], [0.6]]) * (np.arange(5) < 2)  # two seeds that disagree
    gap = largest_gap(apart, learners(2, 3), bound=1.0)
    assert gap is not None
    assert gap.difference == pytest.approx(0.3)
    assert (gap.lower, gap.upper) == (-1.0, 1.0)
