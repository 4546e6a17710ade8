"""What a trial's configuration costs in use and in training, as far as it was recorded."""

from typing import get_args

from recsweep.config.schema import Cost
from recsweep.records.study import TrialRow

COSTS: tuple[Cost, ...] = get_args(Cost)


def cost_of(trial: TrialRow, cost: str) -> float | None:
    """One of them; None: nobody recorded it."""
    if cost == "seconds_per_epoch":
        return trial.fit_seconds / len(trial.epochs) if trial.epochs and trial.fit_seconds else None
    return getattr(trial.epochs[0], cost) if trial.epochs else None


def costs_of(trial: TrialRow) -> dict[str, float]:
    """All that were recorded."""
    return {cost: at for cost in COSTS if (at := cost_of(trial, cost)) is not None}
