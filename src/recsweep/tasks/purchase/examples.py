"""Labelled examples of the task `purchase`: was the course bought after this look at it?

The rules, for every family alike:

- an example is an event of an exposing type; it is a purchase if its learner buys the same course
  within the window that starts at the example's own time;
- what it may read is strictly earlier than that time: the learner's events, and what the tables
  said before it;
- its whole window must lie before the period's end; otherwise its answer is not known yet, and the
  example is left out, in training and in scoring alike;
- a course that the learner has bought before is no question any more.

A row of a table of sessions is an example by itself; it has no history.
"""

import numpy as np

from recsweep.data.arrays import changes, ranges
from recsweep.data.clock import DAY
from recsweep.data.features.fit import Encoder
from recsweep.data.types import (
    BOUGHT,
    KINDS,
    UNKNOWN,
    Events,
    Float64,
    Int32,
    Int64,
    Labels,
    Mask,
    Sequences,
    Targets,
)
from recsweep.tasks.purchase.history_inputs import HistoryInputs
from recsweep.tasks.purchase.settings import Looks

LATE = "window not over by the end"
"""Of the examples that are left out because their answer isn't known yet."""


def find_examples(
    events: Events, rule: Looks, start: int | None, end: int
) -> tuple[Int64, Mask, dict[str, int]]:
    """Rows of `events` that are examples, whether each is a purchase, and what rules took out.

    Args:
        events: in the order of `Events`; those at `end` or later have no say.
        rule: what an example is.
        start: of the period, microseconds since 1970 UTC; None: since ever.
        end: of the period.
    """
    window = round(rule.window_days * DAY)
    exposing = np.isin(events.kind, [KINDS.index(kind) for kind in rule.exposures])
    keep = exposing & (events.time < end)
    if start is not None:
        keep &= events.time >= start
    counts = {"exposures": int(keep.sum())}

    def drop(name: str, unwanted: Mask) -> None:
        counts[name] = int((keep & unwanted).sum())
        keep[unwanted] = False

    before, first_at_or_after = _purchases(events)
    drop("same course at the same time", _repeated(events, exposing))
    drop(LATE, events.time + window > end)
    drop("course bought before", before)
    rows = np.flatnonzero(keep)
    return rows, first_at_or_after[rows] < events.time[rows] + window, counts


def _repeated(events: Events, exposing: Mask) -> Mask:
    """Exposures of a course at a time at which an earlier row is one as well."""
    new = changes(events.user) | changes(events.time) | changes(events.item)
    so_far: Int64 = np.cumsum(exposing) - exposing
    of_run = np.maximum.accumulate(np.where(new, so_far, 0))
    return so_far > of_run


def _purchases(events: Events) -> tuple[Mask, Int64]:
    """Of every event: was its course bought before, and when is it bought next, from its own time
    on (the largest number where it isn't)?
    """
    _, pair = np.unique(
        events.user.astype(np.int64) * (int(events.item.max(initial=0)) + 1) + events.item,
        return_inverse=True,
    )
    times, rank = np.unique(events.time, return_inverse=True)
    key = pair * len(times) + rank
    bought = np.flatnonzero(events.kind == BOUGHT)
    bought = bought[np.argsort(key[bought], kind="stable")]
    never = np.iinfo(np.int64).max
    sorted_keys = np.append(key[bought], never)
    sorted_pairs = np.append(pair[bought], -1)
    sorted_times = np.append(events.time[bought], never)
    at = np.searchsorted(sorted_keys, key)
    before = (at > 0) & (sorted_pairs[at - 1] == pair)
    next_time = np.where(sorted_pairs[at] == pair, sorted_times[at], never)
    return before, next_time


def make_examples(
    events: Events,
    index: Int32,
    rows: Int64,
    bought: Mask,
    counts: dict[str, int],
    encoder: Encoder,
    summary: HistoryInputs | None,
    price: Float64 | None,
    end: int,
) -> Targets:
    """Targets with labels, each after the events on known courses strictly before it.

    Args:
        events: in the order of `Events`.
        index: (n_events,) fold-local item of every event.
        rows: of `events`: the examples.
        bought: (n_examples,).
        counts: what rules took out; what is counted here is added.
        encoder: fitted before the cut.
        summary: of a log's histories; None: there are none.
        price: (n_examples,) of the courses.
        end: of the period.
    """
    n, position = len(events), np.arange(len(events))
    new_user = changes(events.user)
    user_start = np.maximum.accumulate(np.where(new_user, position, 0))
    instant_start = np.maximum.accumulate(np.where(new_user | changes(events.time), position, 0))
    readable = index != UNKNOWN if summary is not None else np.zeros(n, bool)
    known_before = np.concatenate(([0], np.cumsum(readable)))
    length = (known_before[instant_start] - known_before[user_start])[rows]

    users, sequence = np.unique(events.user[rows], return_inverse=True)
    longest = np.zeros(len(users), np.int64)
    np.maximum.at(longest, sequence, length)
    start = np.zeros(len(users), np.int64)
    start[sequence] = known_before[user_start[rows]]
    history = np.flatnonzero(readable)[ranges(start, longest)]
    just_before = events.time[rows] - 1  # what tables said at the example's own time is too late
    parts = [
        encoder.users(events.user[rows], just_before),
        encoder.items(events.item[rows], just_before),
    ]
    columns = [*encoder.of_users.sources, *encoder.of_items.sources]
    likeness, of_events = None, encoder.events(events, end)
    if summary is not None:
        counts = {**counts, "course unknown to training": int((index[rows] == UNKNOWN).sum())}
        inputs, likeness = summary.of(events, index, rows, of_events)
        parts.append(inputs)
        columns += summary.columns
    return Targets(
        histories=Sequences(
            user=users.astype(np.int32),
            offsets=np.concatenate(([0], np.cumsum(longest))).astype(np.int64),
            item=index[history],
            time=events.time[history],
            kind=events.kind[history],
            features=encoder.users(users.astype(np.int32)),
            item_features=(
                encoder.items(events.item[history], events.time[history] - 1)
                if encoder.of_items.known.start is not None
                else None
            ),
            event_features=None if of_events is None else of_events[history],
        ),
        sequence=sequence.astype(np.int32),
        length=length.astype(np.int32),
        item=index[rows],
        time=events.time[rows],
        drop_seen=False,
        counts={**counts, "purchases": int(bought.sum())},
        labels=Labels(
            bought=bought,
            inputs=np.ascontiguousarray(np.concatenate(parts, axis=1, dtype=np.float32)),
            columns=tuple(columns),
            price=price,
            likeness=likeness,
        ),
        # The row of a session holds its answer there, by which nothing may be weighed.
        kind=None if summary is None else events.kind[rows],
    )
