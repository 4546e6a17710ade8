"""Who looks at what and when, by the rules that the dials don't turn."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy.special import softmax

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.browsing import FOLLOW, Browses, browse, make_successors
from recsweep.data.simulator.world import Courses, Int, make_courses, make_learners
from recsweep.data.types import Float64

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


def test_a_single_look_comes_at_any_time_alike_whoever_looks_more_often() -> None:
    n = 4000
    counts = np.where(np.arange(n) % 50 == 0, 6, 1)
    dials = {"learners": n, "courses": 12, "new_courses": 0}
    found, _, _ = browsed(dials, start=np.full(n, 10.0), end=np.full(n, 30.0), browses=counts)
    time = found.time[counts[found.learner] == 1]
    assert_allclose(np.quantile(time, [0, 0.25, 0.5, 0.75, 1]), [10, 15, 20, 25, 30], atol=0.8)


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


def test_with_full_order_too_nobody_looks_more_often_than_their_learner_does() -> None:
    counts = np.arange(300) % 7 + 1
    dials = {"learners": 300, "courses": 40, "new_courses": 0, "order": 1}
    found, _, _ = browsed(dials, browses=counts)
    assert np.bincount(found.learner).tolist() == counts.tolist()
    assert np.isfinite(found.time).all()


def test_what_is_looked_at_first_is_drawn_by_popularity_and_taste() -> None:
    """A choice among all by the largest of keys with Gumbel noise: shares are a softmax."""
    n, settings = 20_000, {"courses": 12, "new_courses": 0, "order": 0, "taste": 0.8, "text": 0.3}
    likes, hidden = np.zeros((n, 8)), np.zeros((n, 6))
    likes[:, [1, 4]], hidden[:, 2] = (1.5, -1.0), 0.7
    counts = np.ones(n, np.intp)
    counts[::100] = 6  # that others look more often changes nothing for who looks once
    found, courses, _ = browsed(
        {"learners": n, **settings}, likes=likes, hidden=hidden, browses=counts
    )
    once = counts[found.learner] == 1
    share = np.bincount(found.course[once], minlength=12) / once.sum()
    appeal = np.sqrt(0.3) * likes[0] @ courses.themes.T
    appeal = appeal + np.sqrt(0.7) * hidden[0] @ courses.hidden.T
    assert_allclose(share, softmax(courses.log_popularity + 0.8 * appeal), atol=0.015)


def test_with_recency_a_look_follows_from_an_earlier_one_by_its_age() -> None:
    n, courses = 2500, 800
    dials = {"learners": n, "courses": courses, "new_courses": 0, "order": 0, "recency": 0.8}
    plain = {"popularity": 0, "taste": 0}
    found, _, successors = browsed({**dials, **plain}, browses=np.full(n, 3))
    looks = found.course.reshape(n, 3)

    def follows(earlier: int, later: int, of: NDArray[np.bool_]) -> float:
        after = successors[looks[of, earlier]] == looks[of, later][:, None]
        return float(after.any(axis=1).mean())

    # The latest with .3, the one before with .7 times that, and so on; else a course by taste.
    assert_allclose(follows(0, 1, np.ones(n, bool)), 0.8 * 0.3, atol=0.03)
    apart = np.abs(looks[:, 1] - looks[:, 0]) > 6  # a course follows from either, and not from both
    assert_allclose(follows(1, 2, apart), 0.8 * 0.3, atol=0.03)
    assert_allclose(follows(0, 2, apart), 0.8 * 0.21, atol=0.03)


def test_order_comes_before_recency() -> None:
    dials = {"learners": 400, "courses": 60, "new_courses": 0, "order": 1, "recency": 1}
    found, _, successors = browsed(dials, browses=np.full(400, 3))
    looks = found.course.reshape(400, 3)
    follows = (successors[looks[:, 1]] == looks[:, [2]]).any(axis=1)
    assert follows.all()


def test_after_a_learners_last_look_comes_a_gap_of_half_a_day_on_average() -> None:
    n = 6000
    found, _, _ = browsed({"learners": n, "courses": 12, "new_courses": 0}, browses=np.full(n, 2))
    last = np.append(np.diff(found.learner) != 0, True)
    assert last.sum() == n
    assert_allclose(found.gap[last].mean(), 0.5, atol=0.02)
    assert_allclose(found.gap[~last], np.maximum(np.diff(found.time)[~last[:-1]], SECOND))
    assert (np.diff(found.time)[~last[:-1]] > 0).all()


def test_looks_of_few_learners_at_once_follow_the_same_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recsweep.data.simulator.browsing._CELLS", 5 * 40)
    counts = np.arange(23) % 4 + 1
    found, _, _ = browsed({"learners": 23, "courses": 40, "new_courses": 0}, browses=counts)
    assert np.bincount(found.learner).tolist() == counts.tolist()
    assert (np.diff(found.learner) >= 0).all()


def courses_with(log_popularity: Float64) -> Courses:
    n, zero = len(log_popularity), np.zeros(len(log_popularity))
    whole = np.zeros(n, np.intp)
    return Courses(whole, whole + 1, np.zeros((n, 6)), log_popularity, zero, zero, zero)


def test_a_course_is_followed_by_the_three_with_the_largest_keys_but_never_by_itself() -> None:
    random = np.random.default_rng(0)
    found = make_successors(courses_with(np.linspace(0, -1600, 9)), random)
    assert found.shape == (9, 3)
    for course, three in enumerate(found.tolist()):
        assert set(three) == {*[k for k in range(4) if k != course][:3]}


def test_popular_courses_follow_by_the_root_of_their_popularity() -> None:
    popular = np.arange(400) % 2 == 0
    found = make_successors(courses_with(np.where(popular, np.log(9), 0)), np.random.default_rng(0))
    assert_allclose(popular[found].mean(), 3 / 4, atol=0.03)
    assert all(len(set(three)) == 3 for three in found.tolist())
