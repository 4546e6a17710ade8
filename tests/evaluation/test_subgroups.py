import numpy as np
from numpy.testing import assert_allclose
from scipy import stats

from recsweep.evaluation.subgroups import subgroup_differences


def test_a_learner_counts_once_however_many_targets_are_in_the_group() -> None:
    a = np.array([[1.0, 0.0, 1.0, 0.5, 9.0]])
    sequence = np.array([0, 0, 1, 2, 2], np.int32)
    mask = np.array([True, True, True, True, False])
    (group,) = subgroup_differences(a, np.zeros((1, 5)), sequence, {"warm": mask})
    assert (group.name, group.learners, group.targets) == ("warm", 3, 4)
    assert group.difference is not None
    assert_allclose(group.difference, (0.5 + 1 + 0.5) / 3)


def test_the_interval_of_one_group_is_the_paired_t_interval() -> None:
    a, b = np.random.default_rng(0).random((2, 1, 40))
    everyone = np.ones(40, bool)
    (group,) = subgroup_differences(a, b, np.arange(40, dtype=np.int32), {"all": everyone})
    reference = stats.ttest_rel(a[0], b[0]).confidence_interval(0.95)
    assert group.lower is not None
    assert group.upper is not None
    assert_allclose([group.lower, group.upper], reference)


def test_more_groups_widen_the_interval_as_bonferroni_says() -> None:
    a, b = np.random.default_rng(0).random((2, 1, 40))
    everyone = np.ones(40, bool)
    learners = np.arange(40, dtype=np.int32)
    masks = {"all": everyone, "again": everyone, "first": learners < 20}
    group = subgroup_differences(a, b, learners, masks)[0]
    reference = stats.ttest_rel(a[0], b[0]).confidence_interval(1 - 0.05 / 3)
    assert group.lower is not None
    assert_allclose(group.lower, reference.low)


def test_groups_of_no_or_one_learner_have_no_interval() -> None:
    a = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    masks = {"none": np.zeros(3, bool), "one": np.array([True, False, False])}
    learners = np.arange(3, dtype=np.int32)
    none, one = subgroup_differences(a, np.zeros((1, 3)), learners, masks)
    assert (none.learners, none.difference, none.lower) == (0, None, None)
    assert (one.learners, one.difference, one.upper) == (1, 0.5, None)


def test_seeds_widen_a_group_s_interval() -> None:
    b = np.random.default_rng(0).random((1, 40))
    learners = np.arange(40, dtype=np.int32)
    masks = {"all": np.ones(40, bool)}
    spread = b + np.array([[-0.2], [0.0], [0.2]])
    (narrow,) = subgroup_differences(b + 0.1, b, learners, masks)
    (wide,) = subgroup_differences(spread + 0.1, b, learners, masks)
    assert narrow.lower is not None
    assert wide.lower is not None
    assert_allclose(narrow.lower, 0.1)
    assert wide.lower < 0 < narrow.lower


def test_no_interval_reaches_beyond_what_a_difference_can_be() -> None:
    a = np.array([[0.2], [0.7]]) + np.zeros(40)
    learners, masks = np.arange(40, dtype=np.int32), {"all": np.ones(40, bool)}
    (group,) = subgroup_differences(a, np.full((1, 40), 0.4), learners, masks, bound=1.0)
    assert (group.lower, group.upper) == (-1.0, 1.0)
