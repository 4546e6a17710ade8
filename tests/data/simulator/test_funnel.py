"""What follows from a look, held to the formulas worked for one look at a time."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.browsing import Browses
from recsweep.data.simulator.funnel import Funnel, moods, run_funnel
from recsweep.data.simulator.world import HIDDEN, Courses, Learners

USUAL = math.exp(3.4)
"""The price that moves nothing."""
RAISES, LOWERS, NEITHER = 0, 5, 1
"""Main themes, by what they do to a learner's readiness."""


def course_of(theme: int = NEITHER, price: float = USUAL, quality: float = 0.0) -> Courses:
    hidden = np.zeros((1, HIDDEN))
    hidden[0, 0] = 0.5
    zero = np.zeros(1)
    return Courses(
        np.array([theme]), np.array([4]), hidden, zero, zero + price, zero + quality, zero
    )


def learner_of(age: int = 30, likes: float = 0.0, hidden: float = 0.0) -> Learners:
    """Likes the main theme of a course that does nothing, and one hidden side of all."""
    liked, sides = np.zeros((1, 8)), np.zeros((1, HIDDEN))
    liked[0, NEITHER], sides[0, 0] = likes, hidden
    whole, zero = np.zeros(1, np.intp), np.zeros(1)
    return Learners(whole + age, whole, liked, sides, zero, zero, whole)


def looks(n: int, gap: float = 1.0) -> Browses:
    whole = np.zeros(n, np.intp)
    return Browses(whole, whole, np.arange(n, dtype=np.float64), np.full(n, gap))


def funnel(
    learner: Learners | None = None,
    course: Courses | None = None,
    browses: Browses | None = None,
    **dials: float,
) -> Funnel:
    settings = SimulatorSettings.model_validate({"taste": 1.0, "text": 0.36, **dials})
    streams = np.random.default_rng(0), np.random.default_rng(1)
    return run_funnel(
        settings, learner or learner_of(), course or course_of(), browses or looks(1), *streams
    )


def sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def chance(logit: float, pull: float = 0.0) -> float:
    """Of buying: 1.6 more log-odds for a favourite, .3 less without one."""
    favourite = sigmoid(-1.6 + pull)
    return favourite * sigmoid(logit + 1.6) + (1 - favourite) * sigmoid(logit - 0.3)


def test_a_look_at_a_course_that_means_nothing_ends_in_buying_by_the_base_rate() -> None:
    assert_allclose(funnel().probability, chance(-2.4))


def test_learners_under_25_buy_less() -> None:
    assert_allclose(funnel(learner_of(age=24)).probability, chance(-3.0))
    assert_allclose(funnel(learner_of(age=25)).probability, chance(-2.4))


def test_liking_by_the_dial_of_text_and_taste_pulls_towards_favourites_and_purchases() -> None:
    pull = 3.0 / 2 * (0.6 * 0.8 * 2 + 0.8 * 0.5 * 4)
    found = funnel(learner_of(likes=2.0, hidden=4.0), taste=3.0).probability
    assert_allclose(found, chance(-2.4 + pull, pull))


def test_quality_pulls_and_a_price_a_spread_above_the_usual_deters() -> None:
    dear = course_of(price=math.exp(3.4 + 0.6), quality=2.0)
    assert_allclose(funnel(course=dear).probability, chance(-2.4 + 0.8 - 0.5, 0.8))


def of_themes(themes: list[int], learners: list[int]) -> tuple[Browses, Courses]:
    """A course for each look."""
    n, zero = len(themes), np.zeros(len(themes))
    courses = Courses(
        np.array(themes), np.full(n, 4), np.zeros((n, HIDDEN)), zero, zero + USUAL, zero, zero
    )
    return Browses(
        np.array(learners), np.arange(n), np.arange(n, dtype=np.float64), zero + 1
    ), courses


def test_the_latest_earlier_course_of_either_kind_leaves_its_mood_with_its_learner() -> None:
    themes = [0, 1, 2, 3, 4, 5, 6, 7, 1, 0, 1, 5, 1, 7]
    moved = [0, 1, 1, 1, 1, 1, -1, -1, -1, -1, 0, 0, -1, -1]
    learner = [0] * 10 + [1] * 4
    assert_array_equal(moods(*of_themes(themes, learner)), moved)


def test_four_themes_leave_no_mood() -> None:
    assert_array_equal(moods(*of_themes([1, 2, 4, 6, 1], [0] * 5)), 0)


def test_a_mood_does_not_pass_to_the_next_learner_nor_back() -> None:
    assert_array_equal(moods(*of_themes([3, 1, 7, 1], [0, 1, 2, 2])), [0, 0, 0, -1])


def test_a_mood_moves_the_log_odds_of_buying_by_the_dial() -> None:
    browses, courses = of_themes([RAISES, NEITHER, LOWERS, NEITHER], [0] * 4)
    found = funnel(course=courses, browses=browses, purchase_order=1.5).probability
    assert_allclose(found, [chance(-2.4), chance(-0.9), chance(-0.9), chance(-3.9)])


def test_a_favourite_makes_buying_likelier_and_the_kept_probability_is_of_both_together() -> None:
    n = 100_000
    found = funnel(browses=looks(n))
    assert found.favourite.mean() == pytest.approx(sigmoid(-1.6), abs=0.005)
    assert found.bought[found.favourite].mean() == pytest.approx(sigmoid(-0.8), abs=0.01)
    assert found.bought[~found.favourite].mean() == pytest.approx(sigmoid(-2.7), abs=0.003)
    assert found.bought.mean() == pytest.approx(chance(-2.4), abs=0.004)


def test_only_buyers_comment_the_more_the_better_the_course() -> None:
    n = 100_000
    found = funnel(course=course_of(quality=3.0), browses=looks(n))
    assert not found.comment[~found.bought].any()
    assert found.comment[found.bought].mean() == pytest.approx(sigmoid(-0.8 + 1.5), abs=0.01)
    poor = funnel(course=course_of(quality=-1.0), browses=looks(n))
    assert poor.comment[poor.bought].mean() == pytest.approx(sigmoid(-1.3), abs=0.02)


@pytest.mark.parametrize(("gap", "span"), [(0.5, 0.5), (2.0, 2.0), (9.0, 2.0)])
def test_what_follows_comes_in_its_own_part_of_the_time_to_the_next_look(
    gap: float, span: float
) -> None:
    browses = looks(5000, gap)
    found = funnel(browses=browses)
    for time, begin in (
        (found.favourite_time, 0.1),
        (found.bought_time, 0.4),
        (found.comment_time, 0.7),
    ):
        part = (time - browses.time) / span
        assert_allclose(
            [part.min(), part.mean(), part.max()], begin + np.array([0, 0.1, 0.2]), atol=0.005
        )


def test_treatment_by_a_coin_has_the_share_of_the_dial() -> None:
    found = funnel(browses=looks(50_000), treated=0.3)
    assert_allclose(found.propensity, 0.3)
    assert found.treated.mean() == pytest.approx(0.3, abs=0.01)
    assert funnel(treated=0.001).propensity == pytest.approx(0.02)  # never out of the question
    assert funnel(treated=0.999).propensity == pytest.approx(0.98)


def test_treatment_leans_to_those_whose_log_odds_of_buying_are_above_the_mean() -> None:
    browses, courses = of_themes([RAISES, LOWERS, NEITHER], [0] * 3)
    found = funnel(
        course=courses, browses=browses, purchase_order=0.5, treated=0.4, treatment_confounding=0.5
    ).propensity
    spread = math.sqrt(2 / 3)  # of the moods 0, 1 and -1
    want = [sigmoid(math.log(0.4 / 0.6) + 0.5 * mood / spread) for mood in (0, 1, -1)]
    assert_allclose(found, want)


def test_the_effect_grows_with_liking_and_with_mood_and_is_in_the_probability_of_the_treated() -> (
    None
):
    browses, courses = of_themes([RAISES, NEITHER, LOWERS, NEITHER], [0] * 4)
    learner = learner_of(likes=1.25)
    liking = 0.6 * 0.8 * 1.25
    found = funnel(learner, courses, browses, treated=0.5, treatment_effect=2.0)
    assert {*found.treated.tolist()} == {True, False}
    for at, (liked, mood) in enumerate([(0.0, 0), (liking, 1), (0.0, 1), (liking, -1)]):
        pull = liked / 2
        without = chance(-2.4 + pull, pull)
        treated = chance(-2.4 + pull + 2.0 * (0.5 + liked + mood), pull)
        assert_allclose(found.effect[at], treated - without)
        assert_allclose(found.probability[at], treated if found.treated[at] else without)


def test_without_treatments_nothing_moves() -> None:
    found = funnel(browses=looks(1000))
    assert_allclose(found.effect, 0, atol=0)
    assert_allclose(found.propensity, 0.02)
    assert_allclose(found.probability, chance(-2.4))
