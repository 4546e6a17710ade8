"""Estimates of metrics that only all targets together have."""

from collections.abc import Sequence

import numpy as np

from recsweep.data.types import Int64
from recsweep.evaluation.jackknife import jackknife
from recsweep.records.confirmation import Estimate
from recsweep.stages.confirm.refits import Scored, Test
from recsweep.tasks.registry import TASKS


def pooled_estimates(runs: Sequence[Scored], test: Test, level: float) -> dict[str, Estimate]:
    """Metric -> mean over runs; empty for a task that has none."""
    task, targets = TASKS[test.task], test.fold.validation

    def means(positions: Int64) -> dict[str, float]:
        part = targets.at(positions)
        found = [task.pooled(run.outcomes[positions], part, test.metric) for run in runs]
        return {key: float(np.mean([one[key] for one in found])) for key in found[0]}

    if not task.pooled(runs[0].outcomes, targets, test.metric):
        return {}
    return {key: Estimate(*e) for key, e in jackknife(means, targets.sequence, level).items()}
