"""Which events of a history carried a recommendation: leave one event out, for any family.

An event's share is the course's score with the whole history less its score without that event.
Shares don't add up to the score: events stand in for each other.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from recsweep.bundle.bundle import Bundle
from recsweep.bundle.learners import Group, with_learners
from recsweep.data.before_cut import rows_of
from recsweep.data.features.dated import DatedTable
from recsweep.data.types import Float64, Int32, Int64
from recsweep.tasks.asked import Asked
from recsweep.tasks.registry import TASKS

NAMED = 3
"""Events that are named for a recommended course."""
LATEST = 50
"""Of a history, so many of its last events are left out, one at a time."""
CHUNK = 2048
"""Histories without an event that are scored at once."""


@dataclass(frozen=True, slots=True)
class Reason:
    """An event that raised a course's score."""

    code: int  # of the event's course
    difference: float


def reasons_of(
    bundle: Bundle, group: Group, learner: Int64, course: Int64, score: Float64
) -> tuple[tuple[Reason, ...], ...]:
    """Of each entry (learner, course, score), the events that raised the score most; none where
    the score doesn't come from the history.
    """
    events = group.asked.events
    number_of_codes = len(bundle.courses.ids)
    end = np.searchsorted(events.user, group.asked.user, side="right")
    start = np.searchsorted(events.user, group.asked.user)
    left_out = [np.arange(max(a, b - LATEST), b) for a, b in zip(start, end, strict=True)]
    row = np.concatenate([*left_out, np.zeros(0, np.int64)]).astype(np.int64)
    row = row[events.item[row] < number_of_codes]
    owner = events.user[row].astype(np.int64)
    without: dict[tuple[int, int], float] = {}
    for first in range(0, len(row), CHUNK):
        some = slice(first, first + CHUNK)
        without |= _without(bundle, group, row[some], owner[some], learner, course)
    found = []
    low, high = (np.searchsorted(owner, np.arange(len(group.ids)) + n).tolist() for n in (0, 1))
    for n, (who, value) in enumerate(zip(learner.tolist(), score.tolist(), strict=True)):
        shares = []
        for at in range(low[who], high[who]):
            other = without.get((int(row[at]), n))
            if other is not None and value > other:
                shares.append(Reason(int(events.item[row[at]]), value - other))
        shares.sort(key=lambda reason: -reason.difference)
        found.append(tuple(shares[:NAMED]))
    return tuple(found)


def _without(
    bundle: Bundle, group: Group, rows: Int64, owner: Int64, learner: Int64, course: Int64
) -> dict[tuple[int, int], float]:
    """(event, entry) -> the entry's score without the event, where there is one."""
    asked = replace(_each_left_out(group.asked, rows, owner), courses=np.unique(course))
    of_owners = _repeated(group.known.encoder.of_users.known, owner.astype(np.int32))
    known = with_learners(group.known, of_owners)
    answers = TASKS[bundle.file.task].answers
    assert answers is not None
    entries = [np.flatnonzero(learner == who) for who in range(len(group.ids))]
    found = {}
    for at, scores in answers(bundle.model, asked, known):
        for place, history in enumerate(at.tolist()):
            mine = entries[owner[history]]
            values = scores[place, torch.from_numpy(course[mine])].double().tolist()
            for entry, value in zip(mine.tolist(), values, strict=True):
                if np.isfinite(value):
                    found[int(rows[history]), entry] = value
    return found


def _each_left_out(asked: Asked, rows: Int64, owner: Int64) -> Asked:
    """A learner for each of the rows: its owner's history without that row."""
    events = asked.events
    start = np.searchsorted(events.user, owner)
    end = np.searchsorted(events.user, owner, side="right")
    kept = [
        np.concatenate((np.arange(a, r), np.arange(r + 1, b)))
        for a, r, b in zip(start.tolist(), rows.tolist(), end.tolist(), strict=True)
    ]
    at = np.concatenate([*kept, np.zeros(0, np.int64)]).astype(np.int64)
    user: Int32 = np.repeat(np.arange(len(rows)), [len(each) for each in kept]).astype(np.int32)
    return replace(
        asked,
        user=np.arange(len(rows), dtype=np.int32),
        events=replace(rows_of(events, at), user=user),
        index=asked.index[at],
        moment=asked.moment[owner],
    )


def _repeated(table: DatedTable, codes: Int32) -> DatedTable:
    """The same rows for other codes."""
    if table.start is None or table.valid_from is None:
        return DatedTable(table.table[codes], table.ids.gather(codes))
    counts = np.diff(table.start)[codes]
    at = np.concatenate(
        [np.arange(table.start[c], table.start[c + 1]) for c in codes] or [np.zeros(0, np.int64)]
    ).astype(np.int64)
    start: Int64 = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return DatedTable(table.table[at], table.ids.gather(codes), start, table.valid_from[at])
