"""Groups of learners that stand for learners."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recsweep.data.types import Float64, Int64
from recsweep.evaluation.jackknife import GROUPS, apart, groups_of, pseudo_values

RANDOM = np.random.default_rng(0)


def mean_of(values: Float64, asked: Int64) -> dict[str, Float64]:
    return {"mean": values[:, asked].mean(axis=1)}


@pytest.mark.parametrize(("learners", "groups"), [(2, 2), (7, 7), (10, 10), (25, 10)])
def test_there_are_as_many_groups_as_learners_and_ten_at_most(learners: int, groups: int) -> None:
    values = RANDOM.random((3, learners))
    sequence = np.arange(learners, dtype=np.int32)
    found = pseudo_values(lambda asked: mean_of(values, asked), sequence)["mean"]
    assert found.shape == (3, groups)
    assert_allclose(found.mean(axis=1), values.mean(axis=1))


def test_of_a_mean_over_groups_of_one_size_each_counts_with_its_own_mean() -> None:
    values, sequence = RANDOM.random((2, 30)), np.arange(30, dtype=np.int32)
    found = pseudo_values(lambda asked: mean_of(values, asked), sequence)["mean"]
    group = groups_of(30)
    for g in range(GROUPS):
        assert_allclose(found[:, g], values[:, group == g].mean(axis=1))


def test_examples_of_one_learner_are_in_one_group() -> None:
    sequence = np.repeat(np.arange(20), 3).astype(np.int32)
    asked: list[Int64] = []

    def metrics(positions: Int64) -> dict[str, Float64]:
        asked.append(positions)
        return {"n": np.array([len(positions)], np.float64)}

    pseudo_values(metrics, sequence)
    whole, *parts = asked
    assert whole.tolist() == list(range(60))
    assert [len(part) for part in parts] == [54] * GROUPS
    for part in parts:
        assert (np.bincount(sequence[part], minlength=20) % 3 == 0).all()


def test_of_one_learner_there_is_the_metric_itself() -> None:
    values = RANDOM.random((2, 4))
    found = pseudo_values(lambda asked: mean_of(values, asked), np.zeros(4, np.int32))["mean"]
    assert_allclose(found, values.mean(axis=1, keepdims=True))


def test_learners_are_dealt_out_evenly_and_always_alike() -> None:
    dealt = groups_of(43)
    assert sorted(np.bincount(dealt)) == [4] * 7 + [5] * 3
    assert dealt.tolist() == groups_of(43).tolist() != sorted(dealt.tolist())


def test_a_group_stands_apart_by_what_the_metric_is_without_it() -> None:
    found = apart(np.array([0.5, 1.0]), np.array([[0.4, 0.5, 0.9], [1.0, 1.0, 1.0]]))
    assert_allclose(found, [[0.9, 0.7, -0.1], [1.0, 1.0, 1.0]])
