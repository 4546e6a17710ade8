"""Simulated learners and courses, and how much each appeals to each.

A learner likes themes (more alike within an age group and a region) and has hidden likings as well;
a course has themes, which its category and tags show, and hidden sides, which nothing shows. Its
appeal to a learner mixes both by the dial `text`, with unit variance at every setting.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recsweep.config.schema import SimulatorSettings
from recsweep.data.types import Float64

Int = NDArray[np.intp]

THEMES = ("programming", "data", "design", "business", "languages", "music", "health", "cooking")
REGIONS = ("north", "south", "east", "west", "abroad")
HIDDEN = 6
AGE_GROUPS = (25, 35, 50)
"""Ages at which the next group begins."""


@dataclass(frozen=True, slots=True)
class Learners:
    """One row a learner; times in days since the log began."""

    age: Int
    region: Int
    likes: Float64  # (n, themes)
    hidden: Float64  # (n, HIDDEN)
    start: Float64
    end: Float64
    browses: Int


@dataclass(frozen=True, slots=True)
class Courses:
    """One row a course."""

    theme: Int  # the main one
    second: Int  # another one
    hidden: Float64  # (n, HIDDEN)
    log_popularity: Float64
    price: Float64
    quality: Float64  # standard normal
    listed: Float64  # days since the log began; 0: from the start

    @property
    def themes(self) -> Float64:
        """(n, themes) unit vectors: .8 on the main theme, .6 on the second."""
        each = np.eye(len(THEMES))
        vectors: Float64 = 0.8 * each[self.theme] + 0.6 * each[self.second]
        return vectors


def make_learners(settings: SimulatorSettings, random: np.random.Generator) -> Learners:
    """Draw the learners."""
    n = settings.learners
    age = np.minimum(16 + random.gamma(3.0, 6.0, n), 79).astype(np.intp)
    region = random.choice(len(REGIONS), n, p=[0.3, 0.25, 0.2, 0.15, 0.1])
    groups = np.digitize(age, AGE_GROUPS)
    by_age = random.normal(0, 1, (len(AGE_GROUPS) + 1, len(THEMES)))
    by_region = random.normal(0, 1, (len(REGIONS), len(THEMES)))
    own = random.normal(0, 1, (n, len(THEMES)))
    likes = np.sqrt(0.25) * by_age[groups] + np.sqrt(0.15) * by_region[region] + np.sqrt(0.6) * own
    new = random.random(n) < settings.new_learners
    start = settings.days * np.where(new, 0.97, 0.05) * random.random(n)
    end = np.minimum(start + random.exponential(settings.stay_days, n), settings.days)
    rate = random.gamma(1.5, (settings.browses - 1) / 1.5, n)
    browses = np.minimum(1 + random.poisson(rate), settings.courses // 2)
    return Learners(age, region, likes, random.normal(0, 1, (n, HIDDEN)), start, end, browses)


def make_courses(settings: SimulatorSettings, random: np.random.Generator) -> Courses:
    """Draw the courses."""
    n = settings.courses
    theme = random.integers(0, len(THEMES), n)
    second = (theme + random.integers(1, len(THEMES), n)) % len(THEMES)
    rank = 1 + random.permutation(n)
    quality = random.normal(0, 1, n)
    price: Float64 = np.exp(random.normal(3.4, 0.6, n) + 0.15 * quality).round(2)
    listed = np.where(
        random.random(n) < settings.new_courses, 0.9 * settings.days * random.random(n), 0.0
    )
    return Courses(
        theme=theme,
        second=second,
        hidden=random.normal(0, 1 / np.sqrt(HIDDEN), (n, HIDDEN)),
        log_popularity=-settings.popularity * np.log(rank),
        price=price,
        quality=quality,
        listed=listed,
    )


def appeal(learners: Learners, courses: Courses, text: float, rows: slice | Int) -> Float64:
    """(n_rows, n_courses) how much each course appeals to the learners `rows`."""
    shown = learners.likes[rows] @ courses.themes.T
    unseen = learners.hidden[rows] @ courses.hidden.T
    mixed: Float64 = np.sqrt(text) * shown + np.sqrt(1 - text) * unseen
    return mixed
