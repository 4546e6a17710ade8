"""Recorded figures beside rebuilt ones, and how close they must be.

On the same kind of processor, with the same SIMD level, engine (`models/engine.py`), libraries,
threads and precision, training is the same bit for bit, and so must every figure be. Elsewhere
rounding differs in the last bits, training amplifies it, and a run with the same seed is as far
away as one with another seed. So the tolerance is measured in seeds: with s the standard deviation
over seeds, pooled over folds, two runs differ by less than t(99%) * sqrt(2) * s in 99 of 100 cases.
At least one learner's score may differ by 1 in any case: a tie may break the other way.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import stdtrit

from recsweep.config.schema import Resources
from recsweep.data.types import Float64

LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "implicit", "jieba")
"""Those that compute, or cut texts into words; other packages can't change a figure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One recorded number and its rebuilt one."""

    metric: str
    where: str  # a fold, or a seed on the test
    recorded: float | None  # None: the record doesn't have it
    rebuilt: float | None  # None: rebuilding doesn't give it
    tolerance: float  # 0: bit for bit

    @property
    def difference(self) -> float:
        """Rebuilt - recorded; not a number where one is missing."""
        if self.recorded is None or self.rebuilt is None:
            return math.nan
        return self.rebuilt - self.recorded

    @property
    def agrees(self) -> bool:
        """Is it as close as it must be?"""
        return abs(self.difference) <= self.tolerance


def obstacles(
    recorded: Mapping[str, object], now: Mapping[str, object], resources: Resources
) -> list[str]:
    """Why figures can't be expected to be the same bit for bit; empty if they can."""
    found = []
    if resources.gpu:
        found.append("a GPU adds in no fixed order")
    for key in ("cpu", "simd", "engine"):
        if key in recorded and recorded[key] != now[key]:
            found.append(f"{key} {recorded[key]} → {now[key]}")
    before, after = recorded.get("packages"), now["packages"]
    for name in LIBRARIES:
        old = before.get(name) if isinstance(before, Mapping) else None
        new = after.get(name) if isinstance(after, Mapping) else None
        if old != new:
            found.append(f"{name} {old} → {new}")
    return found


def tolerance(runs: Float64, learners: Sequence[int]) -> float:
    """How far two runs of one metric may be apart; see the head of this file.

    Args:
        runs: (n_seeds, n_places) of the metric; one seed, of a family that draws no random number,
            has no spread.
        learners: (n_places,) that each place's mean is over.
    """
    seeds, places = runs.shape
    least = 1 / min(learners)
    if seeds == 1:
        return least
    spread = math.sqrt(float(runs.var(axis=0, ddof=1).mean()))
    quantile = float(stdtrit((seeds - 1) * places, 0.995))
    return max(quantile * math.sqrt(2) * spread, least)


def compare_figures(
    recorded: Mapping[str, Sequence[float]],
    rebuilt: Mapping[str, Sequence[float]],
    places: Sequence[str],
    tolerances: Mapping[str, float],
) -> tuple[Figure, ...]:
    """Every figure that one of the two has, metric by metric."""
    names = (*recorded, *(name for name in rebuilt if name not in recorded))
    return tuple(
        Figure(
            metric=name,
            where=place,
            recorded=_at(recorded, name, n),
            rebuilt=_at(rebuilt, name, n),
            tolerance=tolerances.get(name, 0.0),
        )
        for name in names
        for n, place in enumerate(places)
    )


def _at(values: Mapping[str, Sequence[float]], name: str, n: int) -> float | None:
    found = values.get(name, ())
    return found[n] if n < len(found) else None
