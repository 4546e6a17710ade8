import numpy as np
import pytest
from numpy.testing import assert_allclose

from recsweep.evaluation.metrics import user_means
from recsweep.evaluation.propensity import corrected, inverse_propensity

RANDOM = np.random.default_rng(0)
SEQUENCE = np.sort(RANDOM.integers(0, 60, 300)).astype(np.int32)
VALUES, WEIGHT = RANDOM.random((2, 300)), 1 + 9 * RANDOM.random(300)


def test_a_course_weighs_the_inverse_of_its_popularity_to_a_power_and_at_most_the_clip() -> None:
    found = inverse_propensity(np.array([400.0, 100.0, 4.0, 1.0, 0.0]))
    assert_allclose(found, [1, 2, 10, 10, 0])
    found = inverse_propensity(np.array([400.0, 100.0, 4.0, 0.0]), power=1.0, floor=0.05)
    assert_allclose(found, [1, 4, 20, 0])


def test_it_is_the_weighted_mean_over_targets_that_plain_loops_find() -> None:
    for run, found in zip(VALUES, corrected(VALUES, WEIGHT, SEQUENCE), strict=True):
        above = below = 0.0
        for learner in range(60):
            own = np.flatnonzero(learner == SEQUENCE)
            above += sum(WEIGHT[t] * run[t] for t in own) / len(own)
            below += sum(WEIGHT[t] for t in own) / len(own)
        assert found.mean() == pytest.approx(above / below)


def test_without_weights_each_learner_has_the_plain_metric() -> None:
    found = corrected(VALUES, np.full(300, 3.0), SEQUENCE)
    assert_allclose(found, [user_means(run, SEQUENCE) for run in VALUES])


def test_its_spread_over_learners_is_that_of_the_ratio() -> None:
    found = corrected(VALUES[:1], WEIGHT, SEQUENCE)[0]
    without = []
    for learner in range(60):
        rest = learner != SEQUENCE
        _, sequence = np.unique(SEQUENCE[rest], return_inverse=True)
        part = corrected(VALUES[:1, rest], WEIGHT[rest], sequence.astype(np.int32))
        without.append(part.mean())
    jackknife = np.sqrt(59 * np.var(without))
    assert found.std(ddof=1) / np.sqrt(60) == pytest.approx(jackknife, rel=0.05)


def test_targets_without_a_weight_are_left_out() -> None:
    weight = np.array([0.0, 2.0, 1.0])
    found = corrected(np.array([[1.0, 0.5, 0.25]]), weight, np.array([0, 1, 1], np.int32))
    assert found.mean() == pytest.approx((2 * 0.5 + 1 * 0.25) / 3)
    assert not corrected(np.ones((1, 2)), np.zeros(2), np.array([0, 1], np.int32)).any()


def test_what_learners_like_is_found_where_popular_courses_are_only_shown_more() -> None:
    """1,000 learners like each of ten courses alike; a model that knows nothing lists the two that
    are shown most.
    """
    shown = np.arange(1, 11) / 10
    taken = RANDOM.choice(10, 1000, p=shown / shown.sum())
    hit = (taken >= 8).astype(float)[None]
    counts = np.bincount(taken, minlength=10).astype(float)
    weight = inverse_propensity(counts, power=1.0, floor=0.01)[taken]
    found = corrected(hit, weight, np.arange(1000, dtype=np.int32)).mean()
    assert hit.mean() > 0.3
    assert found == pytest.approx(0.2, abs=0.02)
