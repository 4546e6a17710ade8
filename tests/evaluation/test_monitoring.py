"""A feed of labelled texts, counted day by day and watched topic by topic."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from recsweep.evaluation.control_chart import fit_chart
from recsweep.evaluation.monitoring import Monitored, Watching, monitor

FIRST, DAYS = date(2026, 3, 1), 6
WATCHING = Watching(label="bad", false_alarms=0.5, reference_days=3)


def of(topics: Mapping[str, Sequence[tuple[int, int]]]) -> Monitored:
    """Topics by their days' texts, and how many of them are bad."""
    rows = [
        (topic, FIRST + timedelta(days=day), "bad" if n < bad else "good")
        for topic, days in topics.items()
        for day, (texts, bad) in enumerate(days)
        for n in range(texts)
    ]
    schema = {"topic": pl.String, "day": pl.Date, "label": pl.String}
    return monitor(pl.DataFrame(rows, schema, orient="row"), WATCHING, "m", left_out=7)


MEALS = [(10, 1), (10, 2), (10, 0), (10, 9), (0, 0), (10, 9)]
ROOMS = [(20, 3), (0, 0), (20, 2), (0, 0), (20, 19), (0, 0)]


@pytest.fixture(scope="module")
def found() -> Monitored:
    return of({"meals": MEALS, "rooms": ROOMS, "pool": [(29, 9), *[(0, 0)] * 2, (90, 90)]})


def test_every_day_of_the_feed_counts_also_those_on_which_a_topic_has_no_text(
    found: Monitored,
) -> None:
    assert [topic.name for topic in found.topics] == ["meals", "rooms"]
    assert (found.unwatched, found.left_out) == ({"pool": 29}, 7)
    for topic, days in zip(found.topics, (MEALS, ROOMS), strict=True):
        assert topic.days == tuple(FIRST + timedelta(days=n) for n in range(DAYS))
        assert list(zip(topic.texts, topic.counted, strict=True)) == days


def test_topics_share_the_false_alarms_and_learn_from_days_with_texts(found: Monitored) -> None:
    _, rooms = found.topics
    expected = fit_chart(np.array([3, 2]), np.array([20, 20]), WATCHING.false_alarms / 2)
    assert rooms.chart == expected
    (alone,) = of({"rooms": ROOMS}).topics
    assert alone.chart.threshold < rooms.chart.threshold


def test_warnings_of_all_topics_come_by_day_each_with_the_day_since_when(
    found: Monitored,
) -> None:
    warned = [(topic.name, day.day, since.day) for topic, day, since in found.warnings]
    assert warned == [("rooms", 5, 5), ("meals", 6, 4)]


def test_a_topics_rows_are_the_days_that_were_watched(found: Monitored) -> None:
    _, rooms = found.topics
    frame = rooms.frame()
    assert frame["day"].to_list() == list(rooms.days[3:])
    assert frame["texts"].to_list() == [0, 20, 0]
    assert frame["counted"].to_list() == [0, 19, 0]
    assert frame["share"].to_list() == [None, 0.95, None]
    assert frame["warning"].to_list() == [False, True, False]
    assert frame["since"].to_list() == list(rooms.days[3:])


def test_without_a_word_negative_texts_are_watched_with_an_alarm_in_two_months() -> None:
    assert Watching() == Watching(label="negative", false_alarms=0.5, reference_days=28)
