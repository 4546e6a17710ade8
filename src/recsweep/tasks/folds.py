"""Cutting the development period into folds on one global clock.

The rules, for every family alike:

- training is every event strictly before the cut; the window is `[cut, end)`;
- the catalogue is what training knows with enough support and, with `candidates: catalogue`, the
  courses that the item table knows by the cut, which come after; courses outside it are left out
  of the histories, and a target on one stays a target that nobody can rank;
- a target's history is every event of its user strictly before the target's own time, those after
  the cut included; events at the same microsecond are no history to each other;
- a target with an empty history is left out: no family has anything to go on.
"""

from dataclasses import replace

import numpy as np

from recsweep.config.schema import Experiment, Folds
from recsweep.config.schema import Targets as TargetRule
from recsweep.data.arrays import changes, ranges
from recsweep.data.before_cut import Learned, Mask, learn, rows_of, sequences_of
from recsweep.data.features import Encoder
from recsweep.data.types import (
    KINDS,
    UNKNOWN,
    Dataset,
    Events,
    Fold,
    Int32,
    Int64,
    Targets,
    Training,
)
from recsweep.errors import BadInput
from recsweep.tasks.purchase.folds import make_purchase_fold


def development_folds(dataset: Dataset, experiment: Experiment) -> tuple[Fold, ...]:
    """Every fold of the development period, earliest cut first.

    Raises:
        BadInput: a fold has nothing to train on or nothing to predict.
    """
    return tuple(
        make_fold(f"fold{n}", dataset.development, window, dataset, experiment)
        for n, window in enumerate(dataset.cuts.validation)
    )


def make_fold(
    name: str, events: Events, window: tuple[int, int], dataset: Dataset, experiment: Experiment
) -> Fold:
    """The fold that trains on all `events` before `window` and predicts those inside it.

    Raises:
        BadInput: nothing to train on, or nothing to predict.
    """
    cut, end = window
    rule = experiment.folds
    if rule.rule == "time":
        events = rows_of(events, events.time < end)
    before = trains_on(events, window, rule)

    learned = learn(events, before, cut, dataset, experiment)
    if experiment.purchase is not None:
        return make_purchase_fold(name, events, window, before, learned, dataset, experiment)
    index, encoder = learned.index, learned.encoder
    training = next_item_training(name, events, before, learned, experiment)
    validation = _targets(events, index, window, experiment.targets, encoder)
    if experiment.targets.candidates == "catalogue":
        cold = int((validation.item >= learned.n_known).sum())
        counts = {**validation.counts, "of these in the catalogue": cold}
        counts["course unknown to training"] += cold
        validation = replace(validation, counts=counts)
    if len(validation) == 0:
        raise BadInput(
            f"{name}: no event of its window can be predicted ({_reasons(validation)}); "
            "widen folds.validation, or change targets"
        )
    return Fold(name, cut, learned.items, training, validation)


def next_item_training(
    name: str, events: Events, before: Mask, learned: Learned, experiment: Experiment
) -> Training:
    """What the task `next_item` learns from the events `before` the cut of the fold `name`.

    Raises:
        BadInput: no user has enough of them.
    """
    index, least = learned.index, experiment.folds.min_user_events
    known = before & (index != UNKNOWN) & (index < learned.n_known)
    taught = np.bincount(events.user[known], minlength=int(events.user.max(initial=-1)) + 1)
    trained = known & (taught >= least)[events.user]
    if not trained.any():
        raise BadInput(
            f"{name}: no user has {least} events before its cut; "
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


def trains_on(events: Events, window: tuple[int, int], rule: Folds) -> Mask:
    """Events that a fold with this window may learn from: those before it, or, where there is no
    clock, all others.
    """
    start, end = window
    if rule.rule == "stratified":
        return (events.time < start) | (events.time >= end)
    before: Mask = events.time < start
    return before


def find_targets(
    events: Events, index: Int32, cut: int, rule: TargetRule
) -> tuple[Int64, Int64, Int64, dict[str, int]]:
    """Rows of `events` that are targets, and what rules took out or marked.

    Args:
        events: up to the window's end.
        index: (n_events,) their fold-local items, or UNKNOWN.
        cut: where the window begins, microseconds since 1970 UTC.
        rule: what is a target.

    Returns:
        (n_targets,) rows; the length of each one's history; where that history begins among the
        rows on known courses; the counts.
    """
    position = np.arange(len(events))
    new_user = changes(events.user)
    user_start = np.maximum.accumulate(np.where(new_user, position, 0))
    # Equal timestamps: a history ends before the first event of the target's microsecond.
    instant_start = np.maximum.accumulate(np.where(new_user | changes(events.time), position, 0))
    known_before = np.concatenate(([0], np.cumsum(index != UNKNOWN)))
    start = known_before[user_start]
    length = known_before[instant_start] - start

    wanted = np.isin(events.kind, [KINDS.index(kind) for kind in rule.types])
    keep = (events.time >= cut) & wanted
    counts = {"in the window": int(keep.sum())}

    def drop(name: str, unwanted: Mask) -> None:
        counts[name] = int((keep & unwanted).sum())
        keep[unwanted] = False

    drop("same course at the same time", _repeats_within_instant(events))
    drop("empty history", length == 0)
    if rule.seen == "drop":
        drop("course already in the history", _seen_before(events))
    if rule.which != "all":
        drop(f"not the {rule.which} of its learner", ~_edge(events.user, keep, rule.which))
    counts["course unknown to training"] = int((keep & (index == UNKNOWN)).sum())

    at = np.flatnonzero(keep)
    return at, length[at], start[at], counts


def _targets(
    events: Events, index: Int32, window: tuple[int, int], rule: TargetRule, encoder: Encoder
) -> Targets:
    cut, end = window
    at, length, first, counts = find_targets(events, index, cut, rule)
    users, sequence = np.unique(events.user[at], return_inverse=True)
    # A history holds what its last target may see, and no event more.
    longest = np.zeros(len(users), np.int64)
    np.maximum.at(longest, sequence, length)
    start = np.zeros(len(users), np.int64)
    start[sequence] = first
    known_rows = np.flatnonzero(index != UNKNOWN)
    rows = known_rows[ranges(start, longest)]
    return Targets(
        histories=sequences_of(events, index, rows, encoder, end),
        sequence=sequence.astype(np.int32),
        length=length.astype(np.int32),
        item=index[at],
        time=events.time[at],
        drop_seen=rule.seen == "drop",
        counts=counts,
    )


def _repeats_within_instant(events: Events) -> Mask:
    """Events that repeat an earlier row's user, time and item (with another type)."""
    return ~(changes(events.user) | changes(events.time) | changes(events.item))


def _seen_before(events: Events) -> Mask:
    """Events whose user had the same item at an earlier microsecond."""
    order = np.lexsort((events.time, events.item, events.user))
    new_pair = changes(events.user[order]) | changes(events.item[order])
    first = np.maximum.accumulate(np.where(new_pair, np.arange(len(order)), 0))
    seen = np.empty(len(order), bool)
    seen[order] = events.time[order][first] < events.time[order]
    return seen


def _edge(user: Int32, keep: Mask, which: str) -> Mask:
    """The first or last kept row of every user."""
    at = np.flatnonzero(keep)
    change = changes(user[at])
    edge = np.zeros(len(user), bool)
    edge[at[change if which == "first" else np.roll(change, -1)]] = True
    return edge


def _reasons(targets: Targets) -> str:
    return ", ".join(f"{count} {rule}" for rule, count in targets.counts.items())
