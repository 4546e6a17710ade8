"""The steps of a backtest, and what each may know: nothing that happened at or after its start."""

import re
from dataclasses import replace
from itertools import pairwise

from recsweep.config.schema import Experiment
from recsweep.data.before_cut import rows_of
from recsweep.data.clock import DAY, iso
from recsweep.data.cuts import resolve_cuts
from recsweep.data.types import Cuts, Dataset
from recsweep.errors import BadInput

UNITS = {"h": DAY // 24, "d": DAY, "w": 7 * DAY}
MOST = 100
"""Steps; every one is a refit a seed."""

Window = tuple[int, int]


def length_of(every: str) -> int:
    """`7d` in microseconds.

    Raises:
        BadInput: it says something else.
    """
    found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", every)
    if found is None:
        raise BadInput(f"--every {every}: expected a number and h, d or w, e.g. 12h, 7d or 2w")
    return int(found[1]) * UNITS[found[2]]


def steps_of(period: Window, every: str) -> tuple[Window, ...]:
    """The windows that a period falls into; the last may be shorter.

    Raises:
        BadInput: fewer than two, or too many.
    """
    (start, end), length = period, length_of(every)
    n = -(-(end - start) // length)
    if not 2 <= n <= MOST:
        raise BadInput(
            f"--every {every}: the sealed test, {iso(start)} to {iso(end)}, makes {n} "
            f"step{'s' * (n != 1)} of it; allowed: 2 to {MOST}"
        )
    return tuple(pairwise([*range(start, end, length), end]))


def known_at(moment: int, dataset: Dataset, experiment: Experiment) -> Dataset:
    """The data as they were: all events before a moment, with the study's folds right before it."""
    events = dataset.development
    events = rows_of(events, events.cut_by < moment)
    shares = experiment.folds.model_copy(update={"test": 0.0})
    *earlier, (last, _) = resolve_cuts(events.cut_by, shares).validation
    cuts = Cuts(validation=(*earlier, (last, moment)), test=(moment, moment))
    return replace(dataset, development=events, cuts=cuts)
