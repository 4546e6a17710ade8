"""What a trial's configuration costs in use and in training, as far as it was recorded."""

from collections.abc import Iterable
from typing import get_args

from recsweep.config.schema import Cost
from recsweep.records.study import TrialRow

JOULES = 3.6e6
"""Of a kilowatt-hour."""
COSTS: tuple[Cost, ...] = get_args(Cost)


def cost_of(trial: TrialRow, cost: str) -> float | None:
    """One of them; None: nobody recorded it."""
    if cost == "seconds_per_epoch":
        return trial.fit_seconds / len(trial.epochs) if trial.epochs and trial.fit_seconds else None
    if cost == "kwh":
        return energy_of([trial])[0] if any(e.joules is not None for e in trial.epochs) else None
    return getattr(trial.epochs[0], cost) if trial.epochs else None


def costs_of(trial: TrialRow) -> dict[str, float]:
    """All that were recorded."""
    return {cost: at for cost in COSTS if (at := cost_of(trial, cost)) is not None}


def energy_of(trials: Iterable[TrialRow]) -> tuple[float, float]:
    """Kilowatt-hours of all their epochs that were recorded, and what of them is estimated."""
    epochs = [epoch for trial in trials for epoch in trial.epochs]
    used = sum(epoch.joules or 0.0 for epoch in epochs)
    return used / JOULES, sum(epoch.joules_estimated or 0.0 for epoch in epochs) / JOULES
