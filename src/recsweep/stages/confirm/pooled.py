"""Metrics that only all targets together have, as tables of runs by groups of learners."""

from collections.abc import Sequence

import numpy as np

from recsweep.data.types import Float64, Int64
from recsweep.evaluation.jackknife import pseudo_values
from recsweep.stages.confirm.refits import Scored, Test


def pooled_tables(runs: Sequence[Scored], test: Test) -> dict[str, Float64]:
    """Metric -> (n_runs, n_groups); empty for a task that has none."""
    task, metric, targets = test.task, test.experiment.metric, test.fold.validation

    def of_runs(positions: Int64) -> dict[str, Float64]:
        part = targets.at(positions)
        found = [task.pooled(run.outcomes[positions], part, metric) for run in runs]
        return {key: np.array([one[key] for one in found]) for key in found[0]}

    if not task.pooled(runs[0].outcomes, targets, metric):
        return {}
    return pseudo_values(of_runs, targets.sequence)
