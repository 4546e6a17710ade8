"""What `monitor` refuses, and what it makes of a feed."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from recsweep.bundle.labels import Feed
from recsweep.errors import BadInput
from recsweep.evaluation.monitoring import Watching
from recsweep.stages import monitor
from recsweep.stages.monitor import monitor_stage


@pytest.mark.parametrize(
    ("false_alarms", "reference_days", "message"),
    [
        (0.0, 28, "--false-alarms and --reference-days must be above 0"),
        (-0.5, 28, "--false-alarms and --reference-days must be above 0"),
        (0.5, 0, "--false-alarms and --reference-days must be above 0"),
        (0.01, 1, "none"),  # these will do; the model is missing
    ],
)
def test_a_chart_needs_some_false_alarms_and_some_days_to_learn_from(
    false_alarms: float, reference_days: int, message: str, tmp_path: Path
) -> None:
    watching = Watching(false_alarms=false_alarms, reference_days=reference_days)
    with pytest.raises(BadInput, match=message):
        monitor_stage(tmp_path / "none", tmp_path / "feed.csv", feed=Feed(), watching=watching)


class Asked:
    """A bundle, a feed of so many days, and what is made of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, task: str = "text", days: int = 3) -> None:
        self.pages: list[tuple[object, ...]] = []
        self.watched: list[tuple[object, ...]] = []
        bundle = SimpleNamespace(file=SimpleNamespace(task=task))
        dates = [date(2026, 1, 1 + day) for day in range(days)] * 2
        rows = pl.DataFrame({"day": dates}, schema={"day": pl.Date})
        topics = [SimpleNamespace(frame=lambda n=n: pl.DataFrame({"topic": [n]})) for n in "ab"]
        self.found = SimpleNamespace(topics=topics)

        def watch(*given: object) -> object:
            self.watched.append(given)
            return self.found

        for name, stand_in in {
            "load_bundle": lambda folder: bundle,
            "labels_of": lambda bundle: ("negative", "positive"),
            "read_feed": lambda bundle, path, feed: (rows, 4),
            "monitor": watch,
            "write_monitor": lambda *given: self.pages.append(given),
        }.items():
            monkeypatch.setattr(monitor, name, stand_in)
        self.rows = rows


TWO_DAYS = Watching(reference_days=2)


def ask(folder: Path, watching: Watching = TWO_DAYS, **more: Any) -> object:
    return monitor_stage(folder / "m", folder / "feed.csv", feed=Feed(), watching=watching, **more)


def test_every_topic_of_a_feed_is_watched_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(monkeypatch)
    out = tmp_path / "out.csv"
    assert ask(tmp_path, out=out) is asked.found
    assert out.read_text().split() == ["topic", "a", "b"]
    assert asked.watched == [(asked.rows, TWO_DAYS, "m", 4)]
    assert asked.pages == []
    ask(tmp_path, out=tmp_path / "more.csv", page=tmp_path / "page.html")
    ask(tmp_path, out=tmp_path / "most.csv", page=tmp_path / "page.html", lang="zh")
    assert asked.pages == [(asked.found, tmp_path / "page.html", lang) for lang in ("en", "zh")]


@pytest.mark.parametrize(
    ("task", "days", "watching", "message"),
    [
        ("next_item", 3, Watching(), "m: is a model of task next_item; monitor needs one of texts"),
        (
            "text",
            3,
            Watching(label="negativ"),
            "--label negativ: the model knows no such label; did you mean 'negative'",
        ),
        ("text", 0, Watching(), "feed.csv: holds no row with a text, a time and a topic"),
        (
            "text",
            3,
            Watching(reference_days=3),
            "has texts of 3 days, and its first 3 days are the reference; give a longer feed",
        ),
    ],
)
def test_what_can_not_be_watched_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    days: int,
    watching: Watching,
    message: str,
) -> None:
    asked = Asked(monkeypatch, task, days)
    with pytest.raises(BadInput, match=message):
        ask(tmp_path, watching, out=tmp_path / "out.csv")
    assert asked.watched == []
    assert not (tmp_path / "out.csv").exists()
