"""Does a share rise beyond chance? A CUSUM chart on daily counts (Page 1954; Steiner et al. 2000).

Of n texts of a day, k count. Each day adds the log-likelihood ratio of a raised share p1 against
the usual one p0 to a sum that never falls below 0:

    W = max(0, W + k log(p1 / p0) + (n - k) log((1 - p1) / (1 - p0)))

Above a threshold it warns and starts again at 0. The threshold is found by simulation: of days
with the volumes of the reference period and a share that stays what it was, so many warnings a
month come by chance as were asked for. The share is estimated anew in every simulated run, since
the reference period that the real one comes from is short as well. Texts count as independent
given the share.
"""

from dataclasses import dataclass

import numpy as np

from recsweep.data.types import Float64, Int64, Mask

MONTH = 30  # days
RAISED = 2.0
"""The rise that the chart is built for: to so many times the usual share."""
RUNS, DAYS = 400, 12 * MONTH
STEPS = 14
"""Bisections of the threshold, the last of which moves it by .002."""
HIGHEST = 40.0
"""A log-likelihood ratio that chance does not reach within any life."""
WITHIN = 3  # days


@dataclass(frozen=True, slots=True)
class Chart:
    """What a share is watched with."""

    usual: float  # p0
    threshold: float
    dispersion: float  # of the reference period's daily counts; 1: as chance has it
    power: float  # chance that a rise by RAISED is warned of within WITHIN days


@dataclass(frozen=True, slots=True)
class Watched:
    """One entry a day."""

    sums: Float64  # (n_days,) W, before it starts again
    warns: Mask  # (n_days,)
    since: Int64  # (n_days,) the day from which on W was above 0; the day itself where it is 0


def fit_chart(counted: Int64, of: Int64, false_alarms: float, seed: int = 0) -> Chart:
    """From a reference period.

    Args:
        counted: (n_days,) texts that count, of each day with any text.
        of: (n_days,) texts, 1 or more.
        false_alarms: that are expected in a month by chance.
        seed: of the simulation.
    """
    random = np.random.default_rng(seed)
    usual = float(smoothed(counted.sum(), of.sum()))
    estimated = smoothed(random.binomial(of.sum(), usual, RUNS), of.sum())
    volumes = random.choice(of, (DAYS, RUNS))
    quiet = increments(random.binomial(volumes, usual), volumes, estimated)
    allowed, low, high = false_alarms * DAYS / MONTH * RUNS, 0.0, HIGHEST
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _warnings(quiet, middle) > allowed else (low, middle)
    soon = volumes[:WITHIN]
    raised = random.binomial(soon, raised_share(np.array(usual)))
    sums = np.zeros(RUNS)
    found = np.zeros(RUNS, bool)
    for each in increments(raised, soon, estimated):
        sums = np.maximum(0, sums + each)
        found |= sums > high
    expected = of * usual
    pearson = ((counted - expected) ** 2 / (expected * (1 - usual))).sum()
    return Chart(usual, high, float(pearson / max(1, len(of) - 1)), float(found.mean()))


def watch(chart: Chart, counted: Int64, of: Int64) -> Watched:
    """The days after the reference period, in order; a day without a text adds nothing."""
    steps = increments(counted, of, np.array(chart.usual))
    sums, warns, since = np.zeros(len(steps)), np.zeros(len(steps), bool), np.arange(len(steps))
    total, began = 0.0, 0
    for day, step in enumerate(steps):
        if total == 0:
            began = day
        total = max(0.0, total + float(step))
        sums[day], warns[day] = total, total > chart.threshold
        since[day] = began if total else day
        if warns[day]:
            total = 0.0
    return Watched(sums, warns, since)


def increments(counted: Int64, of: Int64, usual: Float64) -> Float64:
    """What days add to the sum; shapes broadcast."""
    raised = raised_share(usual)
    more, less = np.log(raised / usual), np.log((1 - raised) / (1 - usual))
    return np.asarray(counted * more + (of - counted) * less)


def raised_share(usual: Float64) -> Float64:
    """RAISED times the share, but never more than half of the way to 1."""
    return np.minimum(RAISED * usual, (1 + usual) / 2)


def smoothed(counted: Int64, of: Int64) -> Float64:
    """A share that is neither 0 nor 1 (Jeffreys' prior)."""
    return np.asarray((counted + 0.5) / (of + 1))


def _warnings(steps: Float64, threshold: float) -> int:
    """Of all runs, (n_days, n_runs)."""
    sums, n = np.zeros(steps.shape[1]), 0
    for step in steps:
        sums = np.maximum(0, sums + step)
        over = sums > threshold
        n += int(over.sum())
        sums[over] = 0
    return n
