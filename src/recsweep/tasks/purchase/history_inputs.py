"""A learner's history as a few numbers, for families that read no sequences.

All of it is strictly earlier than the example, and none of it depends on the order of the history
but for the time of its last event.
"""

from dataclasses import dataclass

import numpy as np

from recsweep.data.arrays import changes
from recsweep.data.clock import DAY
from recsweep.data.features.events import summaries
from recsweep.data.features.fit import Encoder
from recsweep.data.likeness import LIKENESS, likeness_parts
from recsweep.data.types import KINDS, UNKNOWN, Events, Float32, Float64, Int32, Int64

CHUNK = 1 << 18
"""Examples whose courses are compared with their histories at once."""
FINE = 1 << 20
"""Features of events are averaged in steps of one part in so many."""


@dataclass(frozen=True, slots=True)
class CourseCounts:
    """How often each course had an event before the cut and before a moment."""

    times: Int64  # (n_moments,) ascending
    keys: Int64  # (n_events,) ascending, item * (n_moments + 1) + place of the event's time

    @classmethod
    def of(cls, item: Int32, time: Int64) -> "CourseCounts":
        """Of (n_events,) events on known courses."""
        times, place = np.unique(time, return_inverse=True)
        return cls(times, np.sort(item.astype(np.int64) * (len(times) + 1) + place))

    def before(self, item: Int32, time: Int64) -> Int64:
        """(n,) events of each course strictly before each time: an example never counts itself."""
        start = item.astype(np.int64) * (len(self.times) + 1)
        end = start + np.searchsorted(self.times, time)
        counted: Int64 = np.searchsorted(self.keys, end) - np.searchsorted(self.keys, start)
        return counted


@dataclass(frozen=True, slots=True)
class CourseTotals:
    """The same at a moment after all of training."""

    counts: Int64  # (n_items,)

    def before(self, item: Int32, time: Int64) -> Int64:
        """(n,) events of each course."""
        return self.counts[item]


@dataclass(frozen=True, slots=True)
class HistoryInputs:
    """What the summary needs to know of training."""

    kinds: tuple[int, ...]  # event types that training holds
    counted: CourseCounts | CourseTotals  # training events
    encoder: Encoder
    ablation: bool  # will columns be left out afterwards?

    @property
    def columns(self) -> list[str]:
        """Names of the numbers."""
        of_events = [summaries(source) for source in self.encoder.of_events.sources]
        return [
            *(f"history: {KINDS[kind]} events" for kind in self.kinds),
            "history: days since the last event",
            "history: none",
            "history: events on this course",
            LIKENESS,
            "course: events",
            *(name for names in zip(*of_events, strict=True) for name in names),
        ]

    def of(
        self, events: Events, index: Int32, rows: Int64, of_events: Float32 | None
    ) -> tuple[Float32, Float64 | None]:
        """(n_rows, n_columns) of the examples at `rows`; counts and days are log(1 + x).

        Features of events, (n_events, n_features), are averaged over the history, those of its last
        event are given, and their mean over its events on this course; 0 where there is none.
        With an ablation: the likeness by column, too.
        """
        position = np.arange(len(events))
        new_user = changes(events.user)
        first = np.maximum.accumulate(np.where(new_user, position, 0))[rows]
        end = np.maximum.accumulate(np.where(new_user | changes(events.time), position, 0))[rows]
        columns = []
        for kind in self.kinds:
            so_far = np.concatenate(([0], np.cumsum(events.kind == kind)))
            columns.append(np.log1p(so_far[end] - so_far[first]))
        none = end == first
        days = (events.time[rows] - events.time[np.maximum(end - 1, 0)]) / DAY
        columns += [np.where(none, 0, np.log1p(np.maximum(days, 0))), none]
        order, pair, instant = _by_course(events)
        columns.append(np.log1p((instant - pair)[rows]))
        alike, parts = self._alike(events, rows, first, end)
        columns.append(alike)
        known = index[rows] != UNKNOWN
        so_often = self.counted.before(index[rows], events.time[rows])
        columns.append(np.log1p(np.where(known, so_often, 0)))
        if of_events is not None:
            last = np.where(none[:, None], 0, of_events[np.maximum(end - 1, 0)])
            on_course = _means(of_events[order], pair[rows], instant[rows])
            columns += [*_means(of_events, first, end).T, *last.T, *on_course.T]
        return np.stack(columns, axis=1).astype(np.float32), parts

    def _alike(
        self, events: Events, rows: Int64, first: Int64, end: Int64
    ) -> tuple[Float32, Float64 | None]:
        """(n_rows,) cosine of the course's features and the history's mean; 0 without either."""
        out = np.zeros(len(rows), np.float32)
        sources, parts = self.encoder.of_items.sources, []
        for at in range(0, len(rows), CHUNK):
            of = slice(at, at + CHUNK)
            low, high = int(first[of].min()), int(end[of].max())
            # Each as it was known just before its own time.
            history = self.encoder.items(events.item[low:high], events.time[low:high] - 1)
            so_far = np.zeros((high - low + 1, history.shape[1]))
            np.cumsum(history, axis=0, out=so_far[1:])
            total = so_far[end[of] - low] - so_far[first[of] - low]
            own = self.encoder.items(events.item[rows[of]], events.time[rows[of]] - 1)
            size = np.linalg.norm(total, axis=1) * np.linalg.norm(own, axis=1)
            there = size > 1e-9
            out[of][there] = (total * own).sum(axis=1)[there] / size[there]
            if self.ablation:
                parts.append(likeness_parts(total, own, sources))
        return out, np.concatenate(parts) if parts else None


def _means(values: Float32, start: Int64, end: Int64) -> Float64:
    """(n, width) means of the rows `start[i]:end[i]`; 0 of none.

    Running sums of whole numbers are exact, so that a row of another learner, earlier in the array
    and later on the clock, moves no last bit.
    """
    sums = np.zeros((len(values) + 1, values.shape[1]), np.int64)
    np.cumsum(np.rint(values * FINE), axis=0, out=sums[1:], dtype=np.int64)
    means: Float64 = (sums[end] - sums[start]) / FINE / np.maximum(end - start, 1)[:, None]
    return means


def _by_course(events: Events) -> tuple[Int64, Int64, Int64]:
    """The events in order of (learner, course, time); and of each event, in the log's order: the
    places there at which its learner and course begin, and at which its own moment begins.
    """
    order = np.lexsort((events.time, events.item, events.user))
    user, item, time = events.user[order], events.item[order], events.time[order]
    place = np.arange(len(order))
    new_pair = changes(user) | changes(item)
    pair, instant = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    pair[order] = np.maximum.accumulate(np.where(new_pair, place, 0))
    instant[order] = np.maximum.accumulate(np.where(new_pair | changes(time), place, 0))
    return order, pair, instant
