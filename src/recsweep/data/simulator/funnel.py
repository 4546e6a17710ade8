"""From a look at a course to a favourite, to buying it and to a comment."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from recsweep.config.schema import SimulatorSettings
from recsweep.data.arrays import changes
from recsweep.data.simulator.browsing import Browses
from recsweep.data.simulator.world import Courses, Int, Learners
from recsweep.data.types import Float64

Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Funnel:
    """What came of each browse; times in days since the log began."""

    probability: Float64  # of buying, as it stood at the browse
    treated: Bool
    propensity: Float64  # of treatment
    effect: Float64  # of treatment on the probability of buying
    favourite: Bool
    bought: Bool
    comment: Bool
    favourite_time: Float64
    bought_time: Float64
    comment_time: Float64


RAISING, LOWERING = (0, 3), (5, 7)
"""Main themes (positions in THEMES) after which a learner is readier, or less ready, to buy."""


def moods(browses: Browses, courses: Courses) -> Int:
    """(n_browses,) 1, -1 or 0: what the latest earlier course of such a theme left behind.

    Which courses a learner looked at doesn't tell it, nor does the latest alone: a model has to
    remember which of the two kinds came last.
    """
    theme, place = courses.theme[browses.course], np.arange(len(browses.course))
    cue = np.isin(theme, RAISING).astype(np.intp) - np.isin(theme, LOWERING)
    first = np.maximum.accumulate(np.where(changes(browses.learner), place, 0))
    latest = np.maximum.accumulate(np.where(cue != 0, place, -1))
    before = np.append(-1, latest[:-1])
    return np.where(before >= first, cue[before], 0)


def run_funnel(
    settings: SimulatorSettings,
    learners: Learners,
    courses: Courses,
    browses: Browses,
    random: np.random.Generator,
    of_treatment: np.random.Generator,
) -> Funnel:
    """Draw what follows from each browse, all of it before the learner's next browse.

    Liking, quality and price move the chance of a favourite and of buying; a favourite raises that
    of buying. The probability kept is the one before the favourite is known.

    A treatment comes with a browse, by a coin, or likelier to those who are readier to buy. Its
    effect on the log-odds of buying is the greater, the better the course is liked and the readier
    its learner was made by the course seen last; it can be negative.
    """
    who, what = browses.learner, browses.course
    shown = (learners.likes[who] * courses.themes[what]).sum(axis=1)
    unseen = (learners.hidden[who] * courses.hidden[what]).sum(axis=1)
    liking = np.sqrt(settings.text) * shown + np.sqrt(1 - settings.text) * unseen
    dear = (np.log(courses.price[what]) - 3.4) / 0.6
    pull = settings.taste / 2 * liking + 0.4 * courses.quality[what]
    means = np.where(learners.age[who] < 25, -0.4, 0.2)  # the young buy less
    means = means + settings.purchase_order * moods(browses, courses)

    favourite_chance = expit(-1.6 + pull)
    logit = -2.6 + pull - 0.5 * dear + means
    ready = (logit - logit.mean()) / max(logit.std(), 1e-9)
    share = max(settings.treated, 1e-3)  # without treatments nobody reads it
    lean = settings.treatment_confounding * ready
    propensity = np.clip(expit(np.log(share / (1 - share)) + lean), 0.02, 0.98)
    treated = of_treatment.random(len(who)) < propensity
    moved = settings.treatment_effect * (0.5 + liking + moods(browses, courses))

    def chances(logit: Float64) -> tuple[Float64, Float64, Float64]:
        with_favourite, without = expit(logit + 1.6), expit(logit - 0.3)
        either = favourite_chance * with_favourite + (1 - favourite_chance) * without
        return with_favourite, without, either

    with_favourite, without, probability = chances(logit + np.where(treated, moved, 0.0))
    effect = chances(logit + moved)[2] - chances(logit)[2]

    favourite = random.random(len(who)) < favourite_chance
    bought = random.random(len(who)) < np.where(favourite, with_favourite, without)
    comment = bought & (random.random(len(who)) < expit(-0.8 + 0.5 * courses.quality[what]))
    at = browses.time + np.array([0.1, 0.4, 0.7])[:, None] * np.minimum(browses.gap, 2.0)
    at += 0.2 * random.random(at.shape) * np.minimum(browses.gap, 2.0)
    of_browse = (probability, treated, propensity, effect, favourite, bought, comment)
    return Funnel(*of_browse, at[0], at[1], at[2])
