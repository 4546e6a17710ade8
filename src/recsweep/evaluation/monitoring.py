"""A feed of labelled texts by topic and day, and where one label has become frequent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from recsweep.data.types import Int64
from recsweep.evaluation.control_chart import Chart, Watched, fit_chart, watch

LEAST_TEXTS = 30
"""Of a topic in the reference period; with fewer its usual share is not known well enough."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What is watched for, and how closely."""

    label: str = "negative"
    false_alarms: float = 0.5  # a month, in all topics together
    reference_days: int = 28  # from the feed's first day on


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic of a feed, day by day from the feed's first to its last."""

    name: str
    days: tuple[date, ...]
    texts: Int64  # (n_days,)
    counted: Int64  # (n_days,) those that bear the label
    reference: int  # the first so many days were learned from
    chart: Chart
    watched: Watched  # the days after them

    @property
    def warnings(self) -> tuple[tuple[date, date], ...]:
        """Days of a warning, each with the day since when the share has been high."""
        after, since = self.days[self.reference :], self.watched.since
        warned = np.flatnonzero(self.watched.warns).tolist()
        return tuple((after[at], after[int(since[at])]) for at in warned)

    def frame(self) -> pl.DataFrame:
        """A row a day that was watched."""
        watched, days = self.watched, self.days[self.reference :]
        texts, counted = self.texts[self.reference :], self.counted[self.reference :]
        share = np.divide(counted, texts, out=np.full(len(days), np.nan), where=texts > 0)
        return pl.DataFrame(
            {
                "topic": [self.name] * len(days),
                "day": days,
                "texts": texts,
                "counted": counted,
                "share": pl.Series(share).fill_nan(None),
                "usual": [self.chart.usual] * len(days),
                "sum": watched.sums,
                "threshold": [self.chart.threshold] * len(days),
                "warning": watched.warns,
                "since": [days[at] for at in watched.since],
            },
            schema_overrides={"day": pl.Date, "since": pl.Date},
        )


@dataclass(frozen=True, slots=True)
class Monitored:
    """What a feed said."""

    model: str
    watching: Watching
    topics: tuple[Topic, ...]  # by name
    unwatched: Mapping[str, int]  # topic -> its texts in the reference period, which are too few
    left_out: int  # rows without a text, a time or a topic

    @property
    def warnings(self) -> Iterator[tuple[Topic, date, date]]:
        """Of all topics, by day: the topic, the day, and since when the share has been high."""
        found = [(topic, *warned) for topic in self.topics for warned in topic.warnings]
        yield from sorted(found, key=lambda each: (each[1], each[0].name))


def monitor(rows: pl.DataFrame, watching: Watching, model: str, left_out: int) -> Monitored:
    """Watch every topic with enough texts in the reference period.

    False alarms are shared out: each topic may give an equal part of them.

    Args:
        rows: `topic`, `day` (Date) and `label`, at least one, over more days than the reference.
        watching: what is watched for.
        model: that gave the labels.
        left_out: rows of the feed that are not among them.
    """
    start, end = rows["day"].min(), rows["day"].max()
    assert isinstance(start, date)
    assert isinstance(end, date)
    days = tuple(start + timedelta(days=at) for at in range((end - start).days + 1))
    at = (rows["day"] - start).dt.total_days().to_numpy()
    counts, counted = {}, (rows["label"] == watching.label).to_numpy()
    for name in rows["topic"].unique().sort():
        of = (rows["topic"] == name).to_numpy()
        both = [np.bincount(at[which], minlength=len(days)) for which in (of, of & counted)]
        counts[name] = np.stack(both)
    reference = watching.reference_days
    before = {name: int(texts[:reference].sum()) for name, (texts, _) in counts.items()}
    enough = [name for name, n in before.items() if n >= LEAST_TEXTS]
    topics = []
    for name in enough:
        texts, found = counts[name]
        some = np.flatnonzero(texts[:reference])
        chart = fit_chart(found[some], texts[some], watching.false_alarms / len(enough))
        watched = watch(chart, found[reference:], texts[reference:])
        topics.append(Topic(name, days, texts, found, reference, chart, watched))
    few = {name: n for name, n in before.items() if n < LEAST_TEXTS}
    return Monitored(model, watching, tuple(topics), few, left_out)
