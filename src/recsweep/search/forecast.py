"""Stopping by forecast: a trial goes on while it may well end as its family's best.

The logarithm of a trial's curve is its start + its speed x the family's mean development + a random
walk + noise, all normal. The development is what the family's trials gained from each epoch to the
next, those that were stopped included, as in the chain ladder of actuaries (Mack 1993); noise is
what neighbouring epochs differ by from a straight line. Given what a trial has reported, all later
epochs are normal, too, and draws of them give its best one. Its chance is how often that is above
the best of every other trial that may still be chosen. While the budget still holds other trials,
it is that times the share of them that has begun. It is asked for an epoch of mean length; an epoch
that takes twice as long asks for twice the chance.
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
NOISE, SPEED_SPREAD, WALK, WOBBLE = 0.03, 0.4, 0.04, 0.8
"""Standard deviations: of an epoch's noise and of a speed, before anything is known; of a step of
the random walk; and of a gain, as a share of it."""
GAINS_WORTH, SPEEDS_WORTH, NOISE_WORTH = 2.0, 6.0, 8.0
"""Trials, or differences, that what was expected counts for."""


@dataclass(slots=True)
class _Trial:
    curve: list[float] = field(default_factory=list)  # logarithms
    seconds: float = 0.0  # of its last epoch
    final: Float64 | None = None  # (DRAWS,) logarithms of its best epoch's score; None: stopped


class Forecast:
    """One family's trials; `hear` answers whether a trial may go on."""

    def __init__(
        self, stopping: Stopping, epochs: int, trials: int | None, lower_is_better: bool
    ) -> None:
        self._grace, self._chance = stopping.grace_epochs, stopping.chance
        self._epochs, self._budget = epochs, trials
        self._sign = -1.0 if lower_is_better else 1.0
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
        if self._budget:
            chance *= min(1.0, len(self._trials) / self._budget)
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
        gains, noise = self._gains(), self._noise()
        slope, spread = self._speeds(gains, noise)
        developed = np.concatenate(([0.0], np.cumsum(gains)))
        start = float(np.mean([t.curve[0] for t in self._trials.values()]))
        speed = max(0.2, 1 + slope * (start - curve[0]))
        steps = np.concatenate(([0.0], np.cumsum(WALK**2 + (WOBBLE * speed * gains) ** 2)))
        covariance = (
            1.0  # of the start, which the first epoch tells
            + spread**2 * np.outer(developed, developed)
            + np.minimum.outer(steps, steps)
            + noise**2 * np.eye(length)
        )
        expected = start + speed * developed
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
            gains = np.diff(trial.curve)[: self._epochs - 1]
            total[: len(gains)] += np.clip(gains, -0.3, 1.0)
            count[: len(gains)] += 1
        return np.asarray(total / count)

    def _noise(self) -> float:
        """Second differences have six times an epoch's variance; the first ones bend too much."""
        bends = [np.diff(t.curve, 2)[1:] ** 2 / 6 for t in self._trials.values()]
        found = np.minimum(np.concatenate(bends), 0.04)
        return math.sqrt((NOISE_WORTH * NOISE**2 + found.sum()) / (NOISE_WORTH + len(found)))

    def _speeds(self, gains: Float64, noise: float) -> tuple[float, float]:
        """How much quicker one is that starts lower, and the spread of speeds around that."""
        begun = [np.array(t.curve) for t in self._trials.values() if len(t.curve) > 1]
        if not begun:
            return 0.0, SPEED_SPREAD
        start = np.mean([t.curve[0] for t in self._trials.values()])
        lower = np.array([start - curve[0] for curve in begun])
        usual = np.array([max(0.05, gains[: len(curve) - 1].sum()) for curve in begun])
        speed = np.array([curve[-1] - curve[0] for curve in begun]) / usual - 1
        weight = usual**2 / (2 * noise**2 + SPEED_SPREAD**2 * usual**2)
        slope = float((weight * lower * speed).sum() / ((weight * lower**2).sum() + 2))
        rest = np.minimum((speed - slope * lower) ** 2, 4.0)
        variance = (SPEEDS_WORTH * SPEED_SPREAD**2 + rest.sum()) / (SPEEDS_WORTH + len(rest))
        return slope, 1.3 * math.sqrt(variance)
