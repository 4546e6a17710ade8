"""What the next course is learned from, and which events of a window are to be predicted.

The rules, for every family alike:

- a target's history is every event of its user strictly before the target's own time, those after
  the cut included; events at the same microsecond are no history to each other;
- a target on a course outside the catalogue stays a target that nobody can rank;
- a target with an empty history is left out: no family has anything to go on.
"""

from dataclasses import replace

import numpy as np

from recsweep.config.schema import Targets as TargetRule
from recsweep.data.arrays import changes, ranges
from recsweep.data.before_cut import rows_of, sequences_of
from recsweep.data.types import KINDS, UNKNOWN, Events, Int32, Mask, Targets, Training
from recsweep.errors import BadInput
from recsweep.tasks.task import Split

SEEN = "course already in the history"


def training_of(split: Split) -> Training:
    """The sequences of learners with enough events.

    Raises:
        BadInput: no learner has.
    """
    events, before, learned = split.events, split.before, split.learned
    index, least = learned.index, split.experiment.folds.min_user_events
    known = before & (index != UNKNOWN) & (index < learned.n_known)
    taught = np.bincount(events.user[known], minlength=int(events.user.max(initial=-1)) + 1)
    trained = known & (taught >= least)[events.user]
    if not trained.any():
        raise BadInput(
            f"{split.name}: no user has {least} events before its cut; "
            "lower folds.min_user_events, or use fewer or shorter folds"
        )
    encoder = learned.encoder
    # Only what lies before the cut is seen: a dwell that lasts beyond it is cut off there.
    seen = rows_of(events, before)
    return Training(
        sequences=sequences_of(seen, index[before], trained[before], encoder, encoder.cut),
        n_items=len(learned.items),
        item_features=encoder.items(learned.items),
        n_cold=len(learned.items) - learned.n_known,
        user_columns=encoder.of_users.sources,
        item_columns=encoder.of_items.sources,
        event_columns=encoder.of_events.sources,
    )


def targets_of(split: Split, training: Training) -> Targets:
    """The window's events that are to be predicted.

    Raises:
        BadInput: there are none.
    """
    rule, index = split.experiment.targets, split.learned.index
    found = _targets(split, index, rule)
    if rule.candidates == "catalogue":
        cold = int((found.item >= training.n_known).sum())
        counts = {**found.counts, "of these in the catalogue": cold}
        counts["course unknown to training"] += cold
        found = replace(found, counts=counts)
    if len(found) == 0:
        raise BadInput(
            f"{split.name}: no event of its window can be predicted ({_reasons(found)}); "
            f"{_advice(found, split)}"
        )
    return found


def _targets(split: Split, index: Int32, rule: TargetRule) -> Targets:
    events, position = split.events, np.arange(len(split.events))
    new_user = changes(events.user)
    user_start = np.maximum.accumulate(np.where(new_user, position, 0))
    # Equal timestamps: a history ends before the first event of the target's microsecond.
    instant_start = np.maximum.accumulate(np.where(new_user | changes(events.time), position, 0))
    known_before = np.concatenate(([0], np.cumsum(index != UNKNOWN)))
    length = known_before[instant_start] - known_before[user_start]

    wanted = np.isin(events.kind, [KINDS.index(kind) for kind in rule.types])
    seen_kinds = tuple(KINDS.index(kind) for kind in rule.seen_types or rule.types)
    keep = split.inside & wanted
    counts = {"in the window": int(keep.sum())}

    def drop(name: str, unwanted: Mask) -> None:
        counts[name] = int((keep & unwanted).sum())
        keep[unwanted] = False

    drop("same course at the same time", _repeats_within_instant(events, keep))
    drop("empty history", length == 0)
    if rule.seen == "drop":
        drop(SEEN, _seen_before(events, np.isin(events.kind, seen_kinds)))
    if rule.which != "all":
        drop(f"not the {rule.which} of its learner", ~_edge(events.user, keep, rule.which))
    counts["course unknown to training"] = int((keep & (index == UNKNOWN)).sum())

    at = np.flatnonzero(keep)
    users, sequence = np.unique(events.user[at], return_inverse=True)
    # A history holds what its last target may see, and no event more.
    longest = np.zeros(len(users), np.int64)
    np.maximum.at(longest, sequence, length[at])
    start = np.zeros(len(users), np.int64)
    start[sequence] = known_before[user_start[at]]
    known_rows = np.flatnonzero(index != UNKNOWN)
    rows = known_rows[ranges(start, longest)]
    return Targets(
        histories=sequences_of(events, index, rows, split.learned.encoder, split.window[1]),
        sequence=sequence.astype(np.int32),
        length=length[at].astype(np.int32),
        item=index[at],
        time=events.time[at],
        drop_seen=rule.seen == "drop",
        same_instant_competes=rule.same_instant == "compete",
        seen_kinds=seen_kinds,
        counts=counts,
        kind=events.kind[at],
    )


def _repeats_within_instant(events: Events, wanted: Mask) -> Mask:
    """Wanted events that repeat the user, time and item of an earlier wanted row (of another type):
    what happened once is asked once.
    """
    at = np.flatnonzero(wanted)
    repeats = np.zeros(len(events), bool)
    repeats[at] = ~(changes(events.user[at]) | changes(events.time[at]) | changes(events.item[at]))
    return repeats


def _seen_before(events: Events, makes_seen: Mask) -> Mask:
    """Events whose user had the same item, in a way that makes it seen, at an earlier time."""
    order = np.lexsort((events.time, ~makes_seen, events.item, events.user))
    new_pair = changes(events.user[order]) | changes(events.item[order])
    first = np.maximum.accumulate(np.where(new_pair, np.arange(len(order)), 0))
    earliest = np.where(makes_seen, events.time, np.iinfo(np.int64).max)[order][first]
    seen = np.empty(len(order), bool)
    seen[order] = earliest < events.time[order]
    return seen


def _edge(user: Int32, keep: Mask, which: str) -> Mask:
    """The first or last kept row of every user."""
    at = np.flatnonzero(keep)
    change = changes(user[at])
    edge = np.zeros(len(user), bool)
    edge[at[change if which == "first" else np.roll(change, -1)]] = True
    return edge


def _advice(targets: Targets, split: Split) -> str:
    wider = split.wider
    if targets.counts["in the window"] == 0:
        return f"{wider}, or name other targets.types"
    if targets.counts.get(SEEN, 0) > 0:
        return f"set targets.seen: keep if learners come back to a course, or {wider}"
    return f"{wider}, so that learners have a history before their targets"


def _reasons(targets: Targets) -> str:
    return ", ".join(f"{count} {rule}" for rule, count in targets.counts.items())
