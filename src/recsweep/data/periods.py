"""Counting what a period or a fold holds, for the manifest."""

import numpy as np
from numpy.typing import NDArray

from recsweep.config.schema import Folds
from recsweep.data.before_cut import is_inside, trains_on
from recsweep.data.manifest import FoldSupport, Moment, Period
from recsweep.data.types import KINDS, Events


def describe_period(
    events: Events, start: int, end: int, inside: NDArray[np.bool_] | None = None
) -> Period:
    """Count the events in `[start, end)`, or those marked as inside."""
    if inside is None:
        inside = is_inside(events, (start, end))
    kinds = np.bincount(events.kind[inside], minlength=len(KINDS))
    return Period(
        start=Moment.at(start),
        end=Moment.at(end),
        events=int(inside.sum()),
        users=int(np.count_nonzero(np.bincount(events.user[inside]))),
        items=int(np.count_nonzero(np.bincount(events.item[inside]))),
        types={kind: int(n) for kind, n in zip(KINDS, kinds, strict=True) if n},
    )


def describe_fold(
    name: str, events: Events, start: int, window: tuple[int, int], rule: Folds
) -> FoldSupport:
    """Count a fold's training period and window; `start` is where the first event lies."""
    cut, end = window
    inside = is_inside(events, window)
    before = trains_on(events, window, rule)
    users = np.bincount(events.user[before], minlength=int(events.user.max()) + 1)
    items = np.bincount(events.item[before], minlength=int(events.item.max()) + 1)
    return FoldSupport(
        name=name,
        training=describe_period(events, start, cut, before),
        users_below_min_user_events=int(((users > 0) & (users < rule.min_user_events)).sum()),
        items_below_min_item_events=int(((items > 0) & (items < rule.min_item_events)).sum()),
        validation=describe_period(events, cut, end),
        validation_events_of_new_users=int((users[events.user[inside]] == 0).sum()),
        validation_events_on_new_items=int((items[events.item[inside]] == 0).sum()),
    )
