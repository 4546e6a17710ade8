"""What the truth scores, where a simulator knows it: no model's outcomes are better."""

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from recsweep.config.schema import Experiment, Metric, SimulatorSettings
from recsweep.data.features.dated import ID
from recsweep.data.types import Dataset, Float64, Fold, Int64, Targets
from recsweep.tasks.task import Outcomes

Truth = Callable[[SimulatorSettings, Path, pl.Series, Int64], Float64]
"""See `data/simulator/truth.py`."""
Values = Callable[[Outcomes, Targets, Metric], Mapping[str, Float64]]
"""A task's `target_values`."""


def score_of_truth(
    truth: Truth, values: Values, fold: Fold, dataset: Dataset, experiment: Experiment
) -> float | None:
    """On the fold's window; None where nobody knows it."""
    settings, targets = experiment.data.simulator, fold.validation
    if settings is None or dataset.users is None:
        return None
    user = targets.histories.user[targets.sequence]
    true = truth(
        settings, dataset.folder.parent / "raw", dataset.users[ID].gather(user), targets.time
    )
    return float(values(true, targets, experiment.metric)[experiment.metric.key].mean())
