"""The exported columns of simulated learners and courses; every word is drawn from lists below."""

import numpy as np
import polars as pl

from recsweep.data.simulator.world import REGIONS, THEMES, Courses, Learners

TAGS = {
    "programming": ("python", "java", "web", "testing", "algorithms", "games"),
    "data": ("statistics", "sql", "charts", "forecasting", "spreadsheets", "surveys"),
    "design": ("typography", "colour", "interfaces", "drawing", "animation", "print"),
    "business": ("accounting", "marketing", "negotiation", "leadership", "startups", "contracts"),
    "languages": ("english", "mandarin", "spanish", "grammar", "conversation", "writing"),
    "music": ("piano", "guitar", "harmony", "singing", "mixing", "rhythm"),
    "health": ("sleep", "nutrition", "running", "yoga", "anatomy", "first-aid"),
    "cooking": ("baking", "vegetables", "sauces", "noodles", "knives", "fermenting"),
}
_MISTAKEN = 0.2
"""Chance that an interest a learner states is any theme at all."""


def user_table(learners: Learners, random: np.random.Generator) -> pl.DataFrame:
    """Columns user_id, age, region and interests (two themes joined by `|`, or one)."""
    n = len(learners.age)
    stated = np.argsort(-learners.likes, axis=1)[:, :2]
    mistaken = random.random(stated.shape) < _MISTAKEN
    stated = np.where(mistaken, random.integers(0, len(THEMES), stated.shape), stated)
    interests = ["|".join(dict.fromkeys(THEMES[k] for k in row)) for row in stated]
    return pl.DataFrame(
        {
            "user_id": [f"learner-{number:06d}" for number in range(n)],
            "age": learners.age,
            "region": [REGIONS[k] for k in learners.region],
            "interests": interests,
        }
    )


def item_table(courses: Courses, random: np.random.Generator) -> pl.DataFrame:
    """Columns item_id, title, description, tags (three joined by `|`), price and category."""
    n = len(courses.theme)
    first, other = random.permuted(np.tile(np.arange(6), (n, 1)), axis=1)[:, :2].T
    third = random.integers(0, 6, n)
    tags, titles, descriptions = [], [], []
    for c in range(n):
        main, second = THEMES[courses.theme[c]], THEMES[courses.second[c]]
        a, b, d = TAGS[main][first[c]], TAGS[main][other[c]], TAGS[second][third[c]]
        tags.append(f"{a}|{b}|{d}")
        titles.append(f"{a.capitalize()} and {b} {c + 1}")
        descriptions.append(f"A course on {main}: {a} and {b}, with a touch of {second} ({d}).")
    return pl.DataFrame(
        {
            "item_id": [f"course-{number:05d}" for number in range(n)],
            "title": titles,
            "description": descriptions,
            "tags": tags,
            "price": courses.price,
            "category": [THEMES[k] for k in courses.theme],
        }
    )
