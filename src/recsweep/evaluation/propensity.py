"""Metrics corrected for exposure: what is shown more often is taken more often, liked or not.

A target on a course counts with the inverse of how likely its learner was to be shown that course
(inverse propensity scores; Schnabel et al. 2016, ICML). Nobody logs that. By assumption it is a
power of the course's popularity, n^((γ + 1) / 2) of Yang et al. 2018 (RecSys), clipped from below
as max{θ, M} of Saito et al. 2020 (WSDM), whose θ is (n / max n)^0.5. Where learners take popular
courses because they like them, the assumption is wrong and so is the corrected metric. The log
can't tell (`benchmarks/exposure.py`).
"""

import numpy as np

from recsweep.data.types import Float64, Int32
from recsweep.evaluation.metrics import user_means

POWER = 0.5
FLOOR = 0.1
"""No propensity counts as less: no target weighs more than ten times the least."""


def inverse_propensity(counts: Float64, power: float = POWER, floor: float = FLOOR) -> Float64:
    """(n_items,) 1 / max((n / max n)^η, floor) of courses with n events in training; 0 without any:
    of those nothing is known, and they are left out.
    """
    relative = (counts / max(counts.max(initial=0), 1)) ** power
    return np.where(counts > 0, 1 / np.maximum(relative, floor), 0.0)


def corrected(values: Float64, weight: Float64, sequence: Int32) -> Float64:
    """(n_runs, n_learners), whose mean over learners is each run's self-normalised metric.

    A learner counts with the mean over own targets, as everywhere: a of weight times metric, b of
    weight. The metric is the ratio Σ a / Σ b (Swaminathan & Joachims 2015, NIPS), so that without
    weights it is what it was. Yang et al. 2018 normalise within a learner, where one target would
    always count as it is. A learner's value is the ratio r linearised there, r + (a - r b) / mean b
    (Woodruff 1971): its variance over learners is that of the ratio.

    Args:
        values: (n_runs, n_targets) a metric.
        weight: (n_targets,) none below 0.
        sequence: (n_targets,) which learner a target belongs to.
    """
    b = user_means(weight, sequence)
    if not b.any():
        return np.zeros((len(values), len(b)))
    a = np.stack([user_means(weight * row, sequence) for row in values])
    ratio = a.sum(axis=1, keepdims=True) / b.sum()
    found: Float64 = ratio + (a - ratio * b) / b.mean()
    return found
