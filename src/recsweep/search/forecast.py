"""Stopping by forecast: a trial goes on while it may well end as its family's best.

The logarithm of a trial's curve is its start + its speed x the family's mean development + a drift
+ noise, all normal. The development is what the family's trials gained from each epoch to the next,
those that were stopped included, as in the chain ladder of actuaries (Mack 1993). The drift's steps
are autocorrelated, so a curve that rises more steeply than its family's is expected to go on doing
so for a while. Noise is what neighbouring epochs differ by from a straight line. Given what a trial
has reported, all later epochs are normal, too, and draws of them give its best one. Its chance is
how often that is above the best of every other trial that has begun and may still be chosen. It is
asked for an epoch of mean length; an epoch that takes twice as long asks for twice the chance.
"""

import math
import zlib
from dataclasses import dataclass, field

import numpy as np

from recsweep.config.schema import Stopping
from recsweep.data.types import Float64

DRAWS = 256
FLOOR = 1e-3
"""Scores below it are all alike."""
FIRST_GAIN, DECAY = 0.25, 0.5
"""What is expected of a family's first trial, in logarithms: the first epoch's gain, and each later
one's share of the one before it."""
NOISE, SPEED, STEP = 0.03, 0.6, 0.04
"""Standard deviations: of an epoch's noise, before anything is known; of a trial's speed, whose
mean is 1; and of a step of the drift."""
CARRY = 0.6
"""Correlation of two neighbouring steps of the drift."""
GAINS_WORTH, NOISE_WORTH = 2.0, 8.0
"""Trials, or differences, that what was expected counts for."""


@dataclass(slots=True)
class _Trial:
    curve: list[float] = field(default_factory=list)  # logarithms
    seconds: float = 0.0  # of its last epoch
    final: Float64 | None = None  # (DRAWS,) logarithms of its best epoch's score; None: stopped


class Forecast:
    """One family's trials; `hear` answers whether a trial may go on."""

    def __init__(self, stopping: Stopping, epochs: int, lower_is_better: bool) -> None:
        self._grace, self._chance = stopping.grace_epochs, stopping.chance
        self._epochs, self._sign = epochs, -1.0 if lower_is_better else 1.0
        self._drift = drift(epochs)
        self._trials: dict[str, _Trial] = {}

    def hear(self, id_: str, epoch: int, value: float, seconds: float) -> bool:
        """Take an epoch.

        Args:
            id_: of the trial.
            epoch: from 1, one after the other.
            value: its score.
            seconds: that it took.
        """
        trial = self._trials.setdefault(id_, _Trial())
        trial.curve.append(self._sign * math.log(max(value, FLOOR)))
        trial.seconds = seconds
        trial.final = self._draws(id_)
        others = [t.final for t in self._trials.values() if t.final is not None and t is not trial]
        if epoch < self._grace or epoch >= self._epochs or not others:
            return True
        if max(trial.curve) >= max(max(t.curve) for t in self._trials.values()):
            return True
        chance = float((trial.final > np.max(others, axis=0)).mean())
        mean = float(np.mean([t.seconds for t in self._trials.values()]))
        return chance >= self._chance * (seconds / mean if mean else 1.0)

    def ended(self, id_: str, *, complete: bool) -> None:
        """A trial gets no better; only one that is complete can be chosen."""
        if trial := self._trials.get(id_):
            trial.final = np.full(DRAWS, max(trial.curve)) if complete else None

    def _draws(self, id_: str) -> Float64:
        """(DRAWS,) of the trial's best epoch's score."""
        curve = np.array(self._trials[id_].curve)
        seen, length = len(curve), self._epochs
        if seen >= length:
            return np.full(DRAWS, curve.max())
        developed = np.concatenate(([0.0], np.cumsum(self._gains())))
        covariance = (
            1.0  # of the start, which the first epoch tells
            + SPEED**2 * np.outer(developed, developed)
            + self._drift
            + self._noise() ** 2 * np.eye(length)
        )
        expected = curve[0] + developed
        root = np.linalg.cholesky(covariance)
        known = np.linalg.solve(root[:seen, :seen], curve - expected[:seen])
        random = np.random.default_rng(zlib.crc32(id_.encode()))
        later = random.standard_normal((DRAWS, length))[:, : length - seen] @ root[seen:, seen:].T
        best = (expected[seen:] + root[seen:, :seen] @ known + later).max(axis=1)
        found: Float64 = np.maximum(best, curve.max())
        return found

    def _gains(self) -> Float64:
        """(epochs - 1,) the family's mean gain after each epoch."""
        total = GAINS_WORTH * FIRST_GAIN * DECAY ** np.arange(self._epochs - 1)
        count = np.full(self._epochs - 1, GAINS_WORTH)
        for trial in self._trials.values():
            gains = np.diff(trial.curve)
            total[: len(gains)] += np.clip(gains, -0.3, 1.0)
            count[: len(gains)] += 1
        return np.asarray(total / count)

    def _noise(self) -> float:
        """Second differences have six times an epoch's variance; the first ones bend too much."""
        bends = [np.diff(t.curve, 2)[1:] ** 2 / 6 for t in self._trials.values()]
        found = np.minimum(np.concatenate(bends), 0.04)
        return math.sqrt((NOISE_WORTH * NOISE**2 + found.sum()) / (NOISE_WORTH + len(found)))


def drift(epochs: int) -> Float64:
    """(epochs, epochs) covariance of sums of autocorrelated steps, none before the first epoch."""
    step = np.arange(epochs - 1)
    steps = STEP**2 * CARRY ** np.abs(step[:, None] - step)
    return np.pad(steps, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
