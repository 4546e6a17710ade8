"""Subgroups of targets by history, learner and course."""

import numpy as np

from recsweep.data.arrays import ranges
from recsweep.data.types import UNKNOWN, Mask, Targets

COLD = "cold course"


def group_masks(
    targets: Targets, known_users: int, known_items: int | None = None
) -> dict[str, Mask]:
    """Group -> (n_targets,) whether a target is in it; groups without a target are left out.
    Without any history there are no groups.

    Groups are by the events at hand (terciles over targets), by whether the learner had any event
    before the cut, where courses of the history stay candidates by whether the target is one, and
    by whether the target's course has an event before the cut where others are ranked as well.

    Args:
        targets: of one window.
        known_users: codes below it have an event before the cut.
        known_items: fold-local indices below it have an event before the cut; None: all have.
    """
    if len(targets.histories.item) == 0:  # a table of sessions
        return {}
    masks = _terciles(targets)
    user = targets.histories.user[targets.sequence]
    masks["new learner"] = user >= known_users
    masks["returning learner"] = user < known_users
    if not targets.drop_seen:
        repeats = in_history(targets)
        masks["course of the history"] = repeats
        masks["course new to the learner"] = ~repeats
    if known_items is not None:
        cold = targets.item >= known_items
        if cold.any():
            masks |= {COLD: cold, "course with events": ~cold & (targets.item != UNKNOWN)}
    return {name: mask for name, mask in masks.items() if mask.any()}


def in_history(targets: Targets) -> Mask:
    """(n_targets,) whether a target's item is in its own history."""
    histories = targets.histories
    counts = np.diff(histories.offsets)
    owner = np.repeat(np.arange(len(histories)), counts)
    width = int(np.concatenate((histories.item, targets.item)).max()) + 1
    keys = owner * width + histories.item
    pairs, first = np.unique(keys, return_index=True)  # the first place of each pair
    place = ranges(np.zeros(len(counts), np.int64), counts)[first]
    wanted = targets.sequence.astype(np.int64) * width + targets.item
    at = np.minimum(np.searchsorted(pairs, wanted), len(pairs) - 1)
    found = (pairs[at] == wanted) & (place[at] < targets.length)
    known_and_found: Mask = found & (targets.item != UNKNOWN)
    return known_and_found


def _terciles(targets: Targets) -> dict[str, Mask]:
    length = targets.length
    low, high = (int(q) for q in np.quantile(length, (1 / 3, 2 / 3), method="lower"))
    return {
        f"history of up to {low} events": length <= low,
        f"history of {low + 1} to {high} events": (length > low) & (length <= high),
        f"history of more than {high} events": length > high,
    }
