"""Did a quantity change between two studies: with the same learners paired, with others not.

Each study gives a table of seeds (or searches) by learners. Where both hold the same learners, the
difference is taken learner by learner and read by `comparison.compare`. Where they don't, the two
means are independent: their variances (`variance.py`) add, and the interval is Welch's t
(Welch 1947) with Satterthwaite's degrees of freedom. Over several quantities the level and p are
Bonferroni's.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from recsweep.data.types import Float64
from recsweep.evaluation.comparison import check_tables, compare
from recsweep.evaluation.limits import differs, largest_difference, possible, unseen
from recsweep.evaluation.variance import SeedSpread, seed_spread, spread_of_difference
from recsweep.evaluation.verdict import Outcome, decide

ONE = SeedSpread(1, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Change:
    """After against before; `outcome` is said of after."""

    outcome: Outcome
    before: float  # means over seeds and learners
    after: float
    difference: float  # after - before
    lower: float
    upper: float
    p: float  # adjusted for all quantities
    paired: bool


def changes(
    tables: Mapping[str, tuple[Float64, Float64]],
    *,
    paired: bool,
    smallest_effect: float,
    resamples: int,
    seed: int,
    level: float,
    bound: float | None = None,
) -> dict[str, Change]:
    """A verdict for each quantity, simultaneous over all.

    Args:
        tables: quantity -> (before, after), each (n_seeds, n_learners).
        paired: both hold the same learners in the same order.
        smallest_effect: the smallest difference that matters.
        resamples: of the bootstrap behind a paired comparison, at least.
        seed: of the bootstrap.
        level: over all quantities together.
        bound: of the metric; see `compare`.

    Raises:
        BadInput: see `compare`.
    """
    many = len(tables)
    each = 1 - (1 - level) / max(many, 1)
    enough = max(resamples, round(40 / (1 - each)))
    found = {}
    for name, (before, after) in tables.items():
        if paired:
            sides = {"after": after, "before": before}
            (v,) = compare(sides, smallest_effect, enough, seed, each, bound=bound)
            difference, lower, upper, p, outcome = v.difference, v.lower, v.upper, v.p, v.outcome
        else:
            for side, table in (("before", before), ("after", after)):
                check_tables({f"{name} {side}": table}, enough, each)
            difference, lower, upper, p = _welch(before, after, each)
            largest = largest_difference(before, after, bound)
            fewest = min(before.shape[1], after.shape[1])
            hidden = unseen(fewest, largest, 1 - each)
            outcome = decide(lower, upper, smallest_effect, hidden)
            lower, upper = possible(lower, upper, bound)
        found[name] = Change(
            outcome=outcome,
            before=float(before.mean()),
            after=float(after.mean()),
            difference=difference,
            lower=lower,
            upper=upper,
            p=min(1.0, p * many),
            paired=paired,
        )
    return found


def _welch(before: Float64, after: Float64, level: float) -> tuple[float, float, float, float]:
    """(difference, lower, upper, p) of two independent tables."""
    difference = float(after.mean() - before.mean())
    spreads = [
        spread_of_difference(table.mean(axis=0), seed_spread(table), ONE, table)
        for table in (before, after)
    ]
    variances = np.array([s.standard_error**2 for s in spreads])
    total = float(variances.sum())
    if total == 0:  # means of equal numbers may differ by rounding
        difference = difference if differs(np.array([difference]), before) else 0.0
        return difference, difference, difference, 0.0 if difference else 1.0
    freedom = total**2 / float((variances**2 / [s.freedom for s in spreads]).sum())
    error = total**0.5
    half = -float(stdtrit(freedom, (1 - level) / 2)) * error
    p = float(2 * stdtr(freedom, -abs(difference) / error))
    return difference, difference - half, difference + half, p


def changes_of_estimates(
    estimates: Mapping[str, tuple[tuple[float, float], tuple[float, float]]],
    smallest_effect: float,
    level: float,
) -> dict[str, Change]:
    """The same from (mean, standard error) of before and after, where no learner's score is left.

    Taken as independent, with normal intervals: the means are over hundreds of learners.
    """
    many = len(estimates)
    z = -float(ndtri((1 - level) / (2 * max(many, 1))))
    found = {}
    for name, ((before, error_before), (after, error_after)) in estimates.items():
        difference, error = after - before, math.hypot(error_before, error_after)
        lower, upper = difference - z * error, difference + z * error
        at = abs(difference) / error if error else math.inf if difference else 0.0
        found[name] = Change(
            outcome=decide(lower, upper, smallest_effect),
            before=before,
            after=after,
            difference=difference,
            lower=lower,
            upper=upper,
            p=min(1.0, float(2 * ndtr(-at)) * many),
            paired=False,
        )
    return found
