"""The tables of learners and courses, word by word."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.words import TAGS, item_table, user_table
from recsweep.data.simulator.world import REGIONS, THEMES, make_courses, make_learners

N = 4000


def test_a_learners_row_has_a_numbered_id_and_who_the_learner_is() -> None:
    random = np.random.default_rng(0)
    people = make_learners(SimulatorSettings(learners=12), random)
    table = user_table(people, random)
    assert table.columns == ["user_id", "age", "region", "interests"]
    assert table["user_id"].to_list() == [f"learner-{n:06d}" for n in range(12)]
    assert table["age"].to_list() == people.age.tolist()
    assert table["region"].to_list() == [REGIONS[k] for k in people.region]


def test_interests_are_the_two_themes_liked_most_but_a_fifth_of_them_is_any_theme() -> None:
    random = np.random.default_rng(0)
    people = make_learners(SimulatorSettings(learners=N), random)
    stated = [row.split("|") for row in user_table(people, random)["interests"]]
    best = np.argsort(people.likes, axis=1)
    true = 0.8 + 0.2 / 8  # a mistake hits the theme by chance
    for place in (0, 1):
        liked = [THEMES[row[-1 - place]] for row in best]
        named = [s[min(place, len(s) - 1)] == theme for s, theme in zip(stated, liked, strict=True)]
        assert np.mean(named) == pytest.approx(true, abs=0.02)
    least = [THEMES[row[0]] in s for s, row in zip(stated, best, strict=True)]
    assert np.mean(least) == pytest.approx(2 * 0.2 / 8, abs=0.015)


def test_a_mistaken_interest_is_as_likely_any_theme() -> None:
    random = np.random.default_rng(0)
    people = make_learners(SimulatorSettings(learners=N), random)
    people = replace(people, likes=random.permuted(people.likes, axis=1))
    stated = [row.split("|") for row in user_table(people, random)["interests"]]
    liked = np.argsort(-people.likes, axis=1)[:, :2]
    mistakes = [
        theme
        for names, row in zip(stated, liked, strict=True)
        for theme in names
        if theme not in {THEMES[k] for k in row}
    ]
    share = [mistakes.count(theme) / len(mistakes) for theme in THEMES]
    assert_allclose(share, 1 / 8, atol=0.035)


def test_an_interest_is_not_stated_twice() -> None:
    random = np.random.default_rng(0)
    people = make_learners(SimulatorSettings(learners=N), random)
    stated = [row.split("|") for row in user_table(people, random)["interests"]]
    assert {len(s) for s in stated} == {1, 2}
    assert all(len(set(s)) == len(s) for s in stated)


def test_a_courses_words_are_two_tags_of_its_main_theme_and_one_of_its_second() -> None:
    random = np.random.default_rng(0)
    things = make_courses(SimulatorSettings(courses=N), random)
    table = item_table(things, random)
    assert table.columns == ["item_id", "title", "description", "tags", "price", "category"]
    assert table["item_id"].to_list() == [f"course-{n:05d}" for n in range(N)]
    assert table["price"].to_list() == things.price.tolist()
    seen = set()
    for n, row in enumerate(table.iter_rows(named=True)):
        main, second = THEMES[things.theme[n]], THEMES[things.second[n]]
        a, b, other = row["tags"].split("|")
        assert {a, b} <= {*TAGS[main]}
        assert a != b
        assert other in TAGS[second]
        assert row["category"] == main
        assert row["title"] == f"{a[0].upper()}{a[1:]} and {b} {n + 1}"
        told = f"A course on {main}: {a} and {b}, with a touch of {second} ({other})."
        assert row["description"] == told
        seen |= {(main, a), (main, "then", b), (second, "touch", other)}
    assert len(seen) == 3 * len(THEMES) * 6  # every tag in every place
    touch = [
        TAGS[THEMES[k]].index(tags.split("|")[2])
        for k, tags in zip(things.second, table["tags"], strict=True)
    ]
    assert_allclose(np.bincount(touch) / N, 1 / 6, atol=0.02)
