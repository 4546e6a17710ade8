"""Cuts of the clock: shares of events turned into moments, once, when data is prepared."""

from itertools import pairwise

import numpy as np

from recsweep.config.schema import Folds
from recsweep.data.clock import iso
from recsweep.data.types import Cuts, Int64
from recsweep.errors import BadInput


def resolve_cuts(times: Int64, folds: Folds) -> Cuts:
    """Cut at quantiles of `times` (µs, any order, not empty).

    The test is the last `folds.test` share of events; right before it lie `folds.count` validation
    windows of `folds.validation` each. A cut is the time of the first event after it, so events
    of one microsecond are never divided: they all fall into the later period.

    Raises:
        BadInput: a period without a single event, with what to change.
    """
    n = len(times)
    shares = [folds.test + k * folds.validation for k in range(folds.count, -1, -1)]
    ranks = [min(round(n * (1 - share)), n - 1) for share in shares]
    ordered = np.partition(times, [0, *ranks, n - 1])
    start, end = int(ordered[0]), int(ordered[n - 1]) + 1
    bounds = [int(ordered[rank]) for rank in ranks]
    if bounds[0] == start:
        raise BadInput(
            f"fold0 of {folds.count} has nothing to train on: no event of {n} is earlier than "
            f"its cut {iso(bounds[0])}; lower folds.count, folds.validation or folds.test"
        )
    for fold in range(folds.count):
        if bounds[fold] == bounds[fold + 1]:
            raise BadInput(
                f"fold{fold} of {folds.count} has an empty validation window: too many events "
                f"share the time {iso(bounds[fold])}; raise folds.validation or lower folds.count"
            )
    return Cuts(
        validation=tuple(pairwise(bounds)),
        test=(bounds[-1], end),
    )
