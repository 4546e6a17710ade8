"""Which part of a split each event belongs to, by the rules that don't cut the log by its times.

Parts have numbers: a fold's window is part 0, 1, …, the sealed test is the last one, and `LEARNED`
is never asked about. Draws are the same for every study of the same log, so that studies can be
compared.
"""

from dataclasses import replace

import numpy as np

from recsweep.config.schema import Folds
from recsweep.data.arrays import changes
from recsweep.data.before_cut import rows_of
from recsweep.data.cuts import resolve_cuts
from recsweep.data.indexing import Indexed
from recsweep.data.types import Cuts, Events, Int32, Int64, Mask
from recsweep.errors import BadInput

SPLIT_SEED = 0
LEARNED = -1


def split_log(indexed: Indexed, rule: Folds) -> tuple[Indexed, Cuts]:
    """The log with each event's part, and the windows.

    Learners and courses that only the sealed test has get the last codes, as on the clock.

    Raises:
        BadInput: a part without a single event.
    """
    events = indexed.events
    if rule.rule == "time":
        return indexed, resolve_cuts(events.time, rule)
    if rule.rule == "sessions":
        events = replace(events, part=session_ends(events))
        cuts = resolve_cuts(events.cut_by, rule)
    else:
        deal = leave_one_out if rule.rule == "leave_one_out" else whole_learners
        events = replace(events, part=deal(events, rule))
        cuts = parts_of(rule)
    return _sealed_last(replace(indexed, events=events), events.cut_by >= cuts.test[0]), cuts


def parts_of(rule: Folds) -> Cuts:
    """Each fold's part, and the test's."""
    return Cuts(tuple((p, p + 1) for p in range(rule.count)), (rule.count, rule.count + 1))


def session_ends(events: Events) -> Int64:
    """(n_events,) the time of the last event of each one's session."""
    first = np.flatnonzero(changes(events.user))
    lengths = np.diff(np.append(first, len(events)))
    return np.repeat(events.time[first + lengths - 1], lengths)


def leave_one_out(events: Events, rule: Folds) -> Int64:
    """A learner's last moment is the test's, the one before belongs to one fold, drawn at random;
    events of one moment are never divided, and a first moment is never asked about.

    Raises:
        BadInput: a part would be empty.
    """
    new_user = changes(events.user)
    moment = np.cumsum(new_user | changes(events.time))
    first = np.flatnonzero(new_user)
    lengths = np.diff(np.append(first, len(events)))
    so_far, to_come = (
        np.abs(moment - np.repeat(moment[at], lengths)) for at in (first, first + lengths - 1)
    )
    part = np.full(len(events), LEARNED, np.int64)
    scored = (to_come == 1) & (so_far > 0)
    part[scored] = _dealt(events.user[scored], rule.count)
    part[(to_come == 0) & (so_far > 0)] = rule.count
    asked = len(np.unique(events.user[scored]))
    if asked < rule.count:
        raise BadInput(
            f"folds.rule leave_one_out: {asked} learners have events at three moments or more, "
            f"too few for {rule.count} folds; lower folds.count"
        )
    return part


def whole_learners(events: Events, rule: Folds) -> Int64:
    """Every learner belongs to one part, drawn at random.

    Raises:
        BadInput: a part would be empty.
    """
    n = int(events.user.max()) + 1
    tested = round(n * rule.test)
    if tested < 1 or n - tested < rule.count:
        raise BadInput(
            f"folds.rule learners: {n} learners are too few for {rule.count} folds and a test of "
            f"{rule.test:.0%}; lower folds.count or raise folds.test"
        )
    drawn = np.random.default_rng(SPLIT_SEED).permutation(n)
    part: Int64 = np.where(drawn < tested, rule.count, drawn % rule.count)[events.user]
    return part


def _dealt(user: Int32, count: int) -> Int64:
    """(n_events,) the fold of each one's learner, of whom every fold gets as many."""
    learners, of = np.unique(user, return_inverse=True)
    dealt: Int64 = (np.random.default_rng(SPLIT_SEED).permutation(len(learners)) % count)[of]
    return dealt


def _sealed_last(indexed: Indexed, sealed: Mask) -> Indexed:
    """The same log under codes that count up in development first."""
    events = indexed.events
    user_of, item_of = (_order(codes, sealed) for codes in (events.user, events.item))
    user, item = (
        np.argsort(of).astype(np.int32)[c]
        for of, c in ((user_of, events.user), (item_of, events.item))
    )
    coded = replace(events, user=user, item=item)
    order = np.lexsort((coded.kind, item, coded.time, user))
    return replace(
        indexed,
        events=rows_of(coded, order),
        users=indexed.users.gather(user_of),
        items=indexed.items.gather(item_of),
    )


def _order(codes: Int32, sealed: Mask) -> Int64:
    """Codes in their new order: those with an event in development first."""
    n = int(codes.max()) + 1
    open_too = np.zeros(n, bool)
    open_too[codes[~sealed]] = True
    return np.argsort(~open_too, kind="stable")
