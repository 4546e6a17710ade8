"""Where the guarantees of `comparison.py` end, so that a verdict can say so itself.

A sample tells nothing of learners of a kind that is not in it. Two rules, both with a name:

- *Rule of three* (Hanley & Lippman-Hand 1983): none of n learners belongs to a kind that a share q
  of all learners is, with probability (1 - q)^n. At 95% a kind that nobody was seen of may still
  be 3/n of all. Families are called equivalent only where such a kind could not matter.
- *Cochran's rule* (Cochran 1977, section 2.15): a t interval of a mean errs in no more than 6% of
  samples instead of 5% if n > 25 G1^2, G1 being the skewness of what is averaged; that is, if the
  mean's own skewness G1 / sqrt(n) is below 1/5. The resampling mends a part of what skewness does,
  but it can't resample what it never saw.
"""

import math

import numpy as np

from recsweep.data.types import Float64
from recsweep.evaluation.variance import Spread

MOST_SKEWED = 0.2


def unseen(learners: int, largest: float, chance: float) -> float:
    """The most that a mean over learners may owe to a kind of which none of them is.

    Args:
        learners: in the sample.
        largest: what one learner can add at most.
        chance: that no learner of such a kind is in the sample; the size of the test.
    """
    return float(largest * -math.expm1(math.log(chance) / learners))


def is_skewed(differences: Float64, spread: Spread) -> bool:
    """Is the mean difference too skewed for Cochran's rule?

    Seeds are taken as symmetric, so that the more of the variance is theirs, the less skewed the
    mean is.

    Args:
        differences: (n_learners,) paired.
        spread: of their mean.
    """
    if not spread.learners:
        return False
    away = differences - differences.mean()
    third = float((away**3).mean()) / len(differences) ** 2  # cumulant of the mean
    return bool(abs(third) > MOST_SKEWED * spread.standard_error**3)


def largest_difference(a: Float64, b: Float64, bound: float | None) -> float:
    """What one learner may differ by: the metric's bound, or what is seen where there is more.

    Args:
        a: values of one family.
        b: of the other.
        bound: of the metric; None: it has none.
    """
    seen = max(a.max(), b.max()) - min(a.min(), b.min())
    return max(float(seen), bound or 0.0)


def possible(lower: float, upper: float, bound: float | None) -> tuple[float, float]:
    """An interval of a difference of two means, cut off at +- `bound`: none can be beyond, where
    t intervals of two seeds reach.

    Args:
        lower: the interval's ends.
        upper: the other one.
        bound: of the metric; None: it has none.
    """
    return (lower, upper) if bound is None else (max(lower, -bound), min(upper, bound))


def differs(differences: Float64, scale: Float64) -> bool:
    """Does any learner differ by more than rounding?"""
    return bool(np.abs(differences).max() > 16 * np.finfo(np.float64).eps * np.abs(scale).max())
