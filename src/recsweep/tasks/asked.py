"""What a fitted model is asked outside of a study, and what it has to know besides its weights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from recsweep.config.schema import Experiment
from recsweep.data.before_cut import rows_of
from recsweep.data.features.fit import Encoder
from recsweep.data.types import UNKNOWN, Events, Int32, Int64, Training
from recsweep.evaluation.probability import Calibrator


@dataclass(frozen=True, slots=True)
class Known:
    """All of training that an answer needs, and nobody's history."""

    experiment: Experiment  # with the family's own features
    training: Training  # without learners
    encoder: Encoder
    items: Int32  # (n_items,) course code of each catalogue index
    counts: Int64  # (n_items,) training events
    kinds: tuple[int, ...]  # event types that training holds
    cut: int  # microseconds since 1970 UTC: the end of what was learned from
    calibrator: Calibrator


@dataclass(frozen=True, slots=True)
class Asked:
    """Learners' histories, and the moment that each is asked at."""

    user: Int32  # (n_learners,) codes, ascending
    events: Events  # in order; each strictly before its learner's moment
    index: Int32  # (n_events,) catalogue index, or UNKNOWN
    moment: Int64  # (n_learners,) microseconds since 1970 UTC
    courses: Int64  # (n_courses,) catalogue indices that are asked about, ascending

    def with_looks(self, code: Int32, index: Int32, kind: int) -> tuple[Events, Int32, Int64]:
        """The events, and for every learner an event on each of some courses at its moment; their
        catalogue indices; and the rows of those looks, learner by learner in the courses' order.
        """
        n, m, old = len(self.moment), len(code), self.events
        looks = Events(
            user=np.repeat(self.user, m),
            item=np.tile(code, n),
            time=np.repeat(self.moment, m),
            kind=np.full(n * m, kind, np.int8),
        )
        user, item, time, of_kind = (
            np.concatenate((getattr(old, name), getattr(looks, name)))
            for name in ("user", "item", "time", "kind")
        )
        dwell = None
        if old.dwell is not None:
            dwell = np.concatenate((old.dwell, np.full(n * m, np.nan, np.float32)))
        both = Events(user, item, time, of_kind, dwell)
        order = np.argsort(both.user, kind="stable")  # looks come last: they are later
        rows = np.flatnonzero(order >= len(old))
        return rows_of(both, order), np.concatenate((self.index, np.tile(index, n)))[order], rows

    def of_learner(self, n: int) -> "Asked":
        """One of them alone."""
        rows = slice(*np.searchsorted(self.events.user, (self.user[n], self.user[n] + 1)))
        return replace(
            self,
            user=self.user[n : n + 1],
            events=rows_of(self.events, np.arange(rows.start, rows.stop)),
            index=self.index[rows],
            moment=self.moment[n : n + 1],
        )


Answers = Iterator[tuple[Int64, Tensor]]
"""Blocks of learners, each with (n, n_items) float32 or float64: higher is better, -inf where a
course is no candidate. The tensors may be written to."""


def closing(asked: Asked) -> tuple[Events, Int32]:
    """The events with one more of every learner, on no course: what ends the last one's dwell;
    and their catalogue indices.
    """
    nothing = np.array([UNKNOWN], np.int32)
    return asked.with_looks(np.zeros(1, np.int32), nothing, 0)[:2]
