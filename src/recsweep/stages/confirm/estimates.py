"""Means with intervals that don't reach beyond what their metric can be."""

from recsweep.config.schema import within_bounds
from recsweep.data.types import Float64
from recsweep.evaluation.estimate import estimate
from recsweep.records.confirmation import Estimate

LEVEL = 0.95


def estimate_of(rows: Float64, metric: str = "") -> Estimate:
    """Of (n_rows, n_learners) values, for this number alone."""
    return bounded(estimate(rows, LEVEL), metric)


def bounded(found: tuple[float, float, float], metric: str) -> Estimate:
    """(mean, lower, upper), each end within the metric's bounds."""
    mean, *ends = found
    lower, upper = (within_bounds(metric, end) for end in ends)
    return Estimate(mean, min(lower, mean), max(upper, mean))
