"""The catalogue and the fitted features of a cut: what is known before it."""

from dataclasses import dataclass, replace

import numpy as np

from recsweep.config.schema import Experiment, Folds
from recsweep.data.features.events import fit_events
from recsweep.data.features.fit import Encoder, fit_features, known_items, text_names
from recsweep.data.types import UNKNOWN, Dataset, Events, Int32, Int64, Mask, Sequences


@dataclass(frozen=True, slots=True)
class FittedCatalogue:
    """A catalogue and features that nothing from the cut on has a say in."""

    items: Int32  # (n_items,) item code of each fold-local index; those with events come first
    n_known: int  # with events
    index: Int32  # (n_events,) fold-local item of every event, or UNKNOWN
    encoder: Encoder


def learn(
    events: Events, before: Mask, cut: int, dataset: Dataset, experiment: Experiment
) -> FittedCatalogue:
    """Learn from the events `before` the cut.

    Args:
        events: those before the cut, and those that are to be placed in the catalogue.
        before: (n_events,) what may be learned from.
        cut: microseconds since 1970 UTC.
        dataset: with the tables.
        experiment: with the rules.

    Raises:
        BadInput: a feature that is not declared, or a text model that can't be used.
    """
    support = np.bincount(events.item[before])
    known = np.flatnonzero(support >= experiment.folds.min_item_events).astype(np.int32)
    items = np.concatenate((known, _cold_items(known, cut, dataset, experiment)))
    local = np.full(max(int(events.item.max(initial=-1)), int(items.max(initial=-1))) + 1, UNKNOWN)
    local[items] = np.arange(len(items))
    encoder = fit_features(
        dataset,
        experiment.feature_names,
        np.unique(events.user[before]),
        known,
        cut=cut,
        texts=text_names(experiment.data.users, experiment.data.items),
        text=experiment.text,
    )
    of_events = fit_events(rows_of(events, before), experiment.event_features, cut)
    encoder = replace(encoder, of_events=of_events)
    return FittedCatalogue(items, len(known), local.astype(np.int32)[events.item], encoder)


def trains_on(events: Events, window: tuple[int, int], rule: Folds) -> Mask:
    """Events that a fold with this window may learn from: those before it, or, where there is no
    clock, all others.
    """
    before: Mask = events.cut_by < window[0]
    return before if rule.in_time else ~is_inside(events, window)


def is_inside(events: Events, window: tuple[int, int]) -> Mask:
    """Events that lie in a window."""
    return (events.cut_by >= window[0]) & (events.cut_by < window[1])


def moment_of(events: Events, bound: int, rule: Folds) -> int:
    """A window's bound as microseconds since 1970 UTC; where it isn't the clock that is cut, the
    moment after all events.
    """
    return bound if rule.in_time else int(events.time.max()) + 1


def rows_of(events: Events, rows: Mask | Int64) -> Events:
    """Some of the events."""
    return Events(
        user=events.user[rows],
        item=events.item[rows],
        time=events.time[rows],
        kind=events.kind[rows],
        **{name: column[rows] for name, column in events.beside.items()},
    )


def sequences_of(
    events: Events, index: Int32, rows: Mask | Int64, encoder: Encoder, end: int
) -> Sequences:
    """Every user's events at `rows`.

    Args:
        events: all that is seen until `end`, those on courses that aren't known included.
        index: their fold-local items.
        rows: in the order of `events`.
        encoder: fitted before the cut.
        end: microseconds since 1970 UTC.
    """
    of_events = encoder.events(events, end)
    events = rows_of(events, rows)
    users, counts = np.unique(events.user, return_counts=True)
    return Sequences(
        user=users.astype(np.int32),
        offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        item=index[rows],
        time=events.time,
        kind=events.kind,
        features=encoder.users(users.astype(np.int32)),
        event_features=None if of_events is None else of_events[rows],
    )


def _cold_items(known: Int32, cut: int, dataset: Dataset, experiment: Experiment) -> Int32:
    """Codes of the other courses that the item table knows by the cut, in order of their raw ids.

    By codes they would stand in order of their first events, which are still to come.
    """
    if experiment.targets.candidates == "known":
        return np.zeros(0, np.int32)
    existing = known_items(dataset).existing(cut)
    return existing[~np.isin(existing, known)]
