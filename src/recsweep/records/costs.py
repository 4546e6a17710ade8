"""What a trial's configuration costs in use and in training, as far as it was recorded."""

from collections.abc import Iterable, Sequence
from typing import get_args

from recsweep.config.schema import Cost
from recsweep.records.study import TrialRow
from recsweep.training.epoch import EpochReport

JOULES = 3.6e6
"""Of a kilowatt-hour."""
COSTS: tuple[Cost, ...] = get_args(Cost)


def cost_of(trial: TrialRow, cost: str) -> float | None:
    """One of them; None: nobody recorded it."""
    return cost_so_far(trial.epochs, trial.fit_seconds, cost)


def cost_so_far(epochs: Sequence[EpochReport], fit_seconds: float, cost: str) -> float | None:
    """The same of a trial with these epochs, which took so many seconds of fitting."""
    if cost == "seconds_per_epoch":
        return fit_seconds / len(epochs) if epochs and fit_seconds else None
    if cost == "kwh":
        known = [epoch.joules for epoch in epochs if epoch.joules is not None]
        return sum(known) / JOULES if known else None
    return getattr(epochs[0], cost) if epochs else None


def costs_of(trial: TrialRow) -> dict[str, float]:
    """All that were recorded."""
    return {cost: at for cost in COSTS if (at := cost_of(trial, cost)) is not None}


def energy_of(trials: Iterable[TrialRow]) -> tuple[float, float]:
    """Kilowatt-hours of all their epochs that were recorded, and what of them is estimated."""
    epochs = [epoch for trial in trials for epoch in trial.epochs]
    used = sum(epoch.joules or 0.0 for epoch in epochs)
    return used / JOULES, sum(epoch.joules_estimated or 0.0 for epoch in epochs) / JOULES
