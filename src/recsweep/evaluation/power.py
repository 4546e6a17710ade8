"""Before a test is opened: how large a difference must be for it to be shown.

A declared pair is shown by a two-sided t test over n learners at the level alpha / m, m being the
number of declared pairs (Bonferroni; the resampling of `comparison.py` asks for a little less).
With the standard deviation s of the paired differences, a true difference of

    (t[1 - alpha / 2m] + t[power]) s / sqrt(n)

is then shown with about that power (Cohen 1988, section 2.5, with s of the differences). s comes
from the folds, where a family is trained with one seed: the chance of other seeds is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from recsweep.data.types import Float64
from recsweep.evaluation.comparison import Pair

POWER = 0.8


@dataclass(frozen=True, slots=True)
class Power:
    """The smallest difference of each declared pair that a sealed test is likely to show."""

    metric: str
    unit: str
    learners: int  # of the test, estimated: those with a target are known once it is open
    differences: Mapping[Pair, float]
    smallest_effect: float


def smallest_shown(
    spread: float, learners: int, contrasts: int, level: float = 0.95, power: float = POWER
) -> float:
    """The smallest true difference of a pair that is shown with `power`.

    Args:
        spread: standard deviation over learners of the paired differences.
        learners: of the test, at least 2.
        contrasts: declared pairs, at least 1.
        level: simultaneous over the declared pairs.
        power: how often it is to be shown.
    """
    freedom = learners - 1
    critical = -float(stdtrit(freedom, (1 - level) / contrasts / 2))
    return (critical + float(stdtrit(freedom, power))) * spread / float(np.sqrt(learners))


def paired_spread(a: Sequence[Float64], b: Sequence[Float64]) -> float:
    """Standard deviation of a - b over learners, within folds; one entry a fold, nan without two
    learners in any.
    """
    squares, freedom = 0.0, 0
    for x, y in zip(a, b, strict=True):
        away = (x - y) - (x - y).mean()
        squares, freedom = squares + float(away @ away), freedom + len(away) - 1
    return (squares / freedom) ** 0.5 if freedom else float("nan")
