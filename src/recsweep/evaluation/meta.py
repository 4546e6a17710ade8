"""One difference over several logs: random effects, with Hartung and Knapp's interval.

Logs differ in more than their learners, so the difference of two families is taken to vary from
log to log with variance tau^2 around a mean; that mean is what is asked for. tau^2 is estimated by
DerSimonian & Laird (1986). The usual normal interval is far too narrow with few logs; Hartung &
Knapp (2001) take the spread of the logs around the mean for its error, with a t of k - 1 degrees of
freedom. Where the logs happen to agree better than their own errors allow, that error is never
taken as smaller than the usual one (Rover, Knapp & Friede 2015).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit


@dataclass(frozen=True, slots=True)
class Pooled:
    """A mean over logs."""

    difference: float
    lower: float
    upper: float
    p: float
    tau: float  # standard deviation between logs, as far as their errors don't explain it
    heterogeneity: float  # I^2: its share of the spread of the logs' differences
    next_log: tuple[float, float] | None  # prediction interval of another log; None: under 3 logs


def pool(differences: Sequence[float], errors: Sequence[float], level: float = 0.95) -> Pooled:
    """The mean of at least two logs' differences, each with its standard error above 0."""
    y, variance = np.asarray(differences, np.float64), np.asarray(errors, np.float64) ** 2
    logs, weight = len(y), 1 / variance
    fixed = weight @ y / weight.sum()
    spread = float(weight @ (y - fixed) ** 2)  # Cochran's Q
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    tau2 = max(0.0, (spread - (logs - 1)) / float(scale))
    weight = 1 / (variance + tau2)
    mean = float(weight @ y / weight.sum())
    around = float(weight @ (y - mean) ** 2) / (logs - 1)
    error = math.sqrt(max(1.0, around) / float(weight.sum()))
    half = -float(stdtrit(logs - 1, (1 - level) / 2)) * error
    next_log = None
    if logs > 2:  # Higgins, Thompson & Spiegelhalter 2009
        reach = -float(stdtrit(logs - 2, (1 - level) / 2)) * math.hypot(math.sqrt(tau2), error)
        next_log = (mean - reach, mean + reach)
    return Pooled(
        difference=mean,
        lower=mean - half,
        upper=mean + half,
        p=float(2 * stdtr(logs - 1, -abs(mean) / error)),
        tau=math.sqrt(tau2),
        heterogeneity=max(0.0, 1 - (logs - 1) / spread) if spread else 0.0,
        next_log=next_log,
    )
