"""Shares, means and spreads of simulated learners and courses, as the dials and docstrings say."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.world import (
    HIDDEN,
    REGIONS,
    THEMES,
    Courses,
    Learners,
    appeal,
    make_courses,
    make_learners,
)
from recsweep.data.types import Float64

N = 40_000


class OnlyThatShape(np.random.Generator):
    """Normal draws are ones where an array of `shape` is asked for, and zeros elsewhere."""

    def __init__(self, *shape: int) -> None:
        super().__init__(np.random.PCG64(0))
        self.shape = shape

    def normal(self, loc=0.0, scale=1.0, size=None):  # type: ignore[no-untyped-def]
        assert (loc, scale) == (0, 1)
        return np.full(size, float(size == self.shape))


def learners(seed: int = 0, **dials: float) -> Learners:
    settings = SimulatorSettings.model_validate({"learners": N, **dials})
    return make_learners(settings, np.random.default_rng(seed))


def courses(n: int = 20_000, **dials: float) -> Courses:
    settings = SimulatorSettings.model_validate({"courses": n, **dials})
    return make_courses(settings, np.random.default_rng(0))


def test_learners_are_from_16_to_79_years_old_and_34_on_average() -> None:
    age = learners().age
    assert (age.min(), age.max()) == (16, 79)
    assert age.mean() == pytest.approx(16 + 3 * 6 - 0.5, abs=0.2)  # whole years: rounded down
    assert age.std() == pytest.approx(np.sqrt(3) * 6, abs=0.2)


def test_regions_have_their_shares() -> None:
    share = np.bincount(learners().region) / N
    assert_allclose(share, [0.3, 0.25, 0.2, 0.15, 0.1], atol=0.01)


def test_likings_change_from_one_year_of_age_to_the_next_where_a_group_begins() -> None:
    found = learners()
    mean = np.array([found.likes[found.age == age].mean(axis=0) for age in range(16, 60)])
    jump = np.linalg.norm(np.diff(mean, axis=0), axis=1)
    assert [17 + int(at) for at in np.flatnonzero(jump > 0.7)] == [25, 35, 50]


@pytest.mark.parametrize(
    ("shape", "share"),
    [((4, len(THEMES)), 0.25), ((len(REGIONS), len(THEMES)), 0.15), ((30, len(THEMES)), 0.6)],
    ids=["age group", "region", "own"],
)
def test_of_a_likings_variance_so_much_is_shared(shape: tuple[int, int], share: float) -> None:
    found = make_learners(SimulatorSettings(learners=30), OnlyThatShape(*shape))
    assert_allclose(found.likes, np.full((30, len(THEMES)), np.sqrt(share)))


def test_hidden_likings_are_standard_normal() -> None:
    hidden = learners().hidden
    assert hidden.shape == (N, HIDDEN)
    assert_allclose(hidden.mean(axis=0), 0, atol=0.03)
    assert_allclose(np.cov(hidden.T), np.eye(HIDDEN), atol=0.03)


@pytest.mark.parametrize(("new", "last"), [(0.0, 0.05), (1.0, 0.97)])
def test_learners_start_evenly_over_the_part_of_the_log_in_which_they_arrive(
    new: float, last: float
) -> None:
    start = learners(days=200, new_learners=new).start
    assert_allclose(
        np.quantile(start, [0, 0.25, 0.5, 1]) / (200 * last), [0, 0.25, 0.5, 1], atol=0.02
    )


def test_the_dial_says_how_many_arrive_during_the_log() -> None:
    start = learners(days=1, new_learners=0.7).start
    assert (start > 0.05).mean() == pytest.approx(0.7 * 0.92 / 0.97, abs=0.01)


def test_learners_stay_as_long_as_the_dial_says_and_never_beyond_the_log() -> None:
    found = learners(days=3650, new_learners=0, stay_days=20)
    stay = found.end - found.start
    assert stay.mean() == pytest.approx(20, rel=0.02)
    assert stay.std() == pytest.approx(20, rel=0.03)
    short = learners(days=30, stay_days=300)
    assert short.end.max() == 30
    assert (short.start < short.end).all()
    assert (short.end == 30).mean() > 0.9


def test_learners_browse_as_often_as_the_dial_says_with_a_heavy_tail() -> None:
    browses = learners(browses=13, courses=20_000).browses
    assert browses.min() == 1
    assert browses.mean() == pytest.approx(13, rel=0.02)
    assert browses.var() == pytest.approx(12 + 12**2 / 1.5, rel=0.05)  # negative binomial
    assert_array_equal(learners(browses=1).browses, 1)


def test_nobody_browses_more_than_half_of_the_courses() -> None:
    assert learners(browses=50, courses=31).browses.max() == 15


def test_a_course_has_two_different_themes_each_as_likely_as_any() -> None:
    found = courses()
    pairs = np.bincount(found.theme * 8 + found.second, minlength=64).reshape(8, 8)
    assert_array_equal(np.diag(pairs), 0)
    assert_allclose(pairs + 20_000 / 56 * np.eye(8), 20_000 / 56, rtol=0.25)


def test_a_courses_themes_are_a_unit_vector_mostly_of_the_main_one() -> None:
    found = courses(10)
    for n, row in enumerate(found.themes):
        want = np.zeros(8)
        want[found.theme[n]], want[found.second[n]] = 0.8, 0.6
        assert_allclose(row, want)


def test_popularity_is_zipfs_law_over_courses_in_random_order() -> None:
    found = courses(50, popularity=1.5).log_popularity
    assert_allclose(np.sort(np.exp(found))[::-1], 1 / np.arange(1, 51) ** 1.5)
    assert (np.diff(found) > 0).any()


def test_better_courses_cost_more_and_prices_have_two_decimals() -> None:
    found = courses()
    assert found.quality.mean() == pytest.approx(0, abs=0.03)
    assert found.quality.std() == pytest.approx(1, abs=0.02)
    slope, level = np.polyfit(found.quality, np.log(found.price), 1)
    assert slope == pytest.approx(0.15, abs=0.015)
    assert level == pytest.approx(3.4, abs=0.015)
    left = np.log(found.price) - slope * found.quality - level
    assert left.std() == pytest.approx(0.6, abs=0.01)
    assert_array_equal(found.price.round(2), found.price)
    assert (found.price.round(1) != found.price).any()


def test_hidden_sides_of_courses_have_unit_length_on_average() -> None:
    hidden = courses().hidden
    assert hidden.shape == (20_000, HIDDEN)
    assert_allclose(hidden.mean(axis=0), 0, atol=0.02)
    assert (hidden**2).sum(axis=1).mean() == pytest.approx(1, abs=0.02)


def test_new_courses_are_listed_evenly_over_nine_tenths_of_the_log_the_others_from_the_start() -> (
    None
):
    found = courses(days=100, new_courses=0.3).listed
    new = found[found > 0]
    assert len(new) / len(found) == pytest.approx(0.3, abs=0.015)
    assert (found[found <= 0] == 0).all()
    assert_allclose(np.quantile(new, [0, 0.5, 1]), [0, 45, 90], atol=1.5)


def people_of(likes: Float64, hidden: Float64) -> Learners:
    whole, day = np.zeros(len(likes), np.intp), np.zeros(len(likes))
    return Learners(whole, whole, likes, hidden, day, day, whole)


@pytest.mark.parametrize(
    ("text", "want"),
    [(1.0, 0.8 * 2 + 0.6 * 3), (0.0, 0.5 * 4), (0.36, 0.6 * 3.4 + 0.8 * 2)],
)
def test_appeal_mixes_what_text_tells_and_what_nothing_shows(text: float, want: float) -> None:
    likes, hidden = np.zeros((3, 8)), np.zeros((3, HIDDEN))
    likes[1, [0, 5]], hidden[1, 2] = (2, 3), 4
    side = np.zeros((2, HIDDEN))
    side[:, 2] = 0.5
    zero = np.zeros(2)
    two = Courses(np.array([0, 1]), np.array([5, 2]), side, zero, zero, zero, zero)
    found = appeal(people_of(likes, hidden), two, text, np.array([1, 0]))
    unshown = 2.0 * np.sqrt(1 - text)  # the other course's themes mean nothing to the learner
    assert_allclose(found, [[want, unshown], [0, 0]], atol=1e-12)


def test_appeal_has_unit_variance_at_every_setting() -> None:
    # Over many worlds: learners of an age group, or of a region, share their likings.
    for text in (0.0, 0.5, 1.0):
        values = []
        for seed in range(100):
            random = np.random.default_rng(seed)
            settings = SimulatorSettings(learners=40, courses=40)
            people, things = make_learners(settings, random), make_courses(settings, random)
            values.append(appeal(people, things, text, slice(None)))
        assert np.var(values) == pytest.approx(1, abs=0.1)
