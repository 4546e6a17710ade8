"""Features of a history's events beside the course: type, gap and dwell.

The gap is the time since the learner's event before, the dwell the time spent on the event; of both
the logarithm is taken, log(1 + seconds). A dwell is known when the learner does something else: one
that was written down longer is cut off at the learner's next moment, or at the end of what is seen.
So what is said of an event never depends on what comes after the next one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsweep.config.schema import DWELL, GAP, TYPE
from recsweep.data.arrays import changes
from recsweep.data.features.table import Part, encode_rows, fit_column
from recsweep.data.types import KINDS, Events, Float32, Float64

SECOND = 1_000_000  # microseconds


def summaries(source: str) -> list[str]:
    """What a history says of a feature of its events, for families that read no sequences: the
    mean, that of the last event, and the mean over events on the course in question.
    """
    return [f"{source} ({what})" for what in ("mean", "last", "this course")]


@dataclass(frozen=True, slots=True)
class EventEncoder:
    """The encoded features of events; `kept` marks the columns that vary in training."""

    parts: tuple[Part, ...] = ()
    kept: NDArray[np.bool_] | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The feature that each of the columns that `encode` yields comes from."""
        if self.kept is None:
            return ()
        of = [part.column for part in self.parts for _ in part.names]
        return tuple(name for name, kept in zip(of, self.kept, strict=True) if kept)

    def encode(self, events: Events, end: int) -> Float32 | None:
        """(n_events, n_sources), finite; None: no feature is asked for.

        Args:
            events: in the order of `Events`, of each learner all that is seen.
            end: of what is seen, microseconds since 1970 UTC.
        """
        if self.kept is None:
            return None
        frame = _frame(events, [part.column for part in self.parts], end)
        return np.ascontiguousarray(_matrix(frame, self.parts)[:, self.kept])


def fit_events(events: Events, names: Sequence[str], end: int) -> EventEncoder:
    """Fit the features `names` on training's events, all of them before `end`, the cut."""
    if not names:
        return EventEncoder()
    frame = _frame(events, names, end)
    parts = tuple(fit_column(frame[name]) for name in names)
    matrix = _matrix(frame, parts)
    return EventEncoder(parts, matrix.min(axis=0) != matrix.max(axis=0))


def known_dwell(events: Events, end: int) -> Float64:
    """(n_events,) seconds spent until the learner's next moment or, after the last, until `end`.

    What isn't known is nan.
    """
    if events.dwell is None:
        return np.full(len(events), np.nan)
    new_moment = changes(events.user) | changes(events.time)
    start = np.append(np.flatnonzero(new_moment), len(events))
    following = start[np.cumsum(new_moment)]
    user, time = np.append(events.user, -1), np.append(events.time, end)
    until = np.where(user[following] == events.user, time[following], end)
    longest = np.maximum(until - events.time, 0) / SECOND
    return np.minimum(events.dwell.astype(np.float64), longest)


def _frame(events: Events, names: Sequence[str], end: int) -> pl.DataFrame:
    """A column for each name: text, or numbers; what isn't known is null."""
    columns = {}
    if TYPE in names:
        columns[TYPE] = pl.Series(KINDS).gather(events.kind)
    if GAP in names:
        gap = np.diff(events.time, prepend=events.time[:1]) / SECOND
        first = changes(events.user)
        columns[GAP] = pl.Series(np.where(first, np.nan, np.log1p(np.where(first, 0, gap))))
    if DWELL in names:
        columns[DWELL] = pl.Series(np.log1p(known_dwell(events, end)))
    return pl.DataFrame(columns).select(pl.col(n).fill_nan(None) if n != TYPE else n for n in names)


def _matrix(frame: pl.DataFrame, parts: Sequence[Part]) -> Float32:
    return encode_rows(frame, parts, np.arange(len(frame)))
