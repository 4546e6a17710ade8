"""One mean over seeds and learners, with an interval."""

from scipy.special import stdtrit

from recsweep.data.types import Float64
from recsweep.evaluation.variance import SeedSpread, seed_spread, spread_of_difference


def estimate(values: Float64, level: float = 0.95) -> tuple[float, float, float]:
    """(mean, lower, upper) of (n_seeds, n_learners) values.

    A t interval for this number alone, with the variance and freedom of `variance.py`; it is not
    to be compared with another family's, which shares the learners: that is what verdicts are for.
    """
    means = values.mean(axis=0)
    mean = float(means.mean())
    if len(means) < 2:
        return mean, mean, mean
    spread = spread_of_difference(means, seed_spread(values), SeedSpread(1, 0.0, 0.0), values)
    half = -float(stdtrit(spread.freedom, (1 - level) / 2)) * spread.standard_error
    return mean, mean - half, mean + half
