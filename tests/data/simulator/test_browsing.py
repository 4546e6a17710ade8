"""Who looks at what and when, by the rules that the dials don't turn."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.browsing import FOLLOW, Browses, browse
from recsweep.data.simulator.world import Courses, Int, make_courses, make_learners

SECOND = 1 / 86_400


def browsed(dials: Mapping[str, float], **learners: object) -> tuple[Browses, Courses, Int]:
    """Looks of learners some of whose columns are given, the courses, and what follows each."""
    random = np.random.default_rng(0)
    settings = SimulatorSettings.model_validate(dials)
    courses = make_courses(settings, random)
    successors = np.array(
        [np.roll(np.arange(settings.courses), -n)[1:4] for n in range(settings.courses)]
    )
    people = replace(make_learners(settings, random), **learners)  # type: ignore[arg-type]
    return browse(settings, people, courses, successors, random), courses, successors


def test_looks_of_one_moment_are_a_second_apart_and_as_many_as_their_learner_takes() -> None:
    dials = {"learners": 2, "courses": 30, "new_courses": 0}
    start = np.zeros(2)
    found, _, _ = browsed(dials, start=start, end=start + 1e-12, browses=np.array([4, 9]))
    assert found.learner.tolist() == [0] * 4 + [1] * 9
    for learner, count in enumerate((4, 9)):
        mine = found.learner == learner
        assert_allclose(found.time[mine], SECOND * np.arange(count), rtol=0, atol=1e-9)
        assert_allclose(found.gap[mine][:-1], SECOND, rtol=0, atol=1e-9)
        assert found.gap[mine][-1] >= SECOND


def test_looks_lie_between_a_learners_first_day_and_last() -> None:
    start, end = np.array([3.0, 50.0]), np.array([5.0, 90.0])
    found, _, _ = browsed(
        {"learners": 2, "courses": 60}, start=start, end=end, browses=np.array([9, 9])
    )
    for learner in (0, 1):
        time = found.time[found.learner == learner]
        assert start[learner] < time.min() < time.max() < end[learner] + 9 * SECOND
        assert np.ptp(time) > (end - start)[learner] / 3


@pytest.mark.parametrize("dials", [{"order": 0}, {"order": 1}, {"order": 0, "recency": 1}])
def test_nobody_looks_at_a_course_before_it_is_listed_or_twice(dials: dict[str, float]) -> None:
    found, courses, _ = browsed({"learners": 60, "courses": 40, "new_courses": 1, **dials})
    listed = courses.listed[found.course]
    assert (listed > 0).all()
    assert (listed <= found.time).all()
    assert len({*zip(found.learner.tolist(), found.course.tolist(), strict=True)}) == len(listed)


def test_each_of_the_three_successors_follows_with_its_own_chance() -> None:
    n = 4000
    dials = {"learners": n, "courses": 12, "new_courses": 0, "order": 1}
    found, _, successors = browsed(dials, browses=np.full(n, 2))
    first, second = found.course.reshape(n, 2).T
    place = (successors[first] == second[:, None]).astype(float)
    assert_allclose(place.mean(axis=0), [0.6, 0.25, 0.15], atol=0.025)
    assert_allclose(FOLLOW.sum(), 1)
