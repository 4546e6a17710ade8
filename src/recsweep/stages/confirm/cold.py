"""Verdicts between the arms of a family on courses without events: what features are worth."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from recsweep.config.schema import Experiment
from recsweep.data.types import Float64, Targets
from recsweep.evaluation.verdict import PairVerdict
from recsweep.tasks.registry import TASKS


def cold_verdicts(
    values: Mapping[str, Float64],
    targets: Targets,
    n_known: int,
    experiment: Experiment,
    judge: Callable[[Mapping[str, Float64]], Iterable[PairVerdict]],
) -> tuple[PairVerdict, ...]:
    """Compare the arms of each family on the targets that are cold courses.

    The procedure is that of the main verdicts, on the learners who have such a target. Intervals
    hold together over the arms of one family: that is the question of an ablation. Without two
    arms of a family, or two such learners, there is none.

    Args:
        values: arm -> (n_rows, n_targets) of the study's metric.
        targets: of the test.
        n_known: items below it have an event in training.
        experiment: with its arms.
        judge: gives the verdicts on (n_rows, n_learners) of some families.
    """
    cold = TASKS[experiment.task].cold(targets, n_known)
    learners, sequence = np.unique(targets.sequence[cold], return_inverse=True)
    if len(learners) < 2:
        return ()
    per_learner = TASKS[experiment.task].per_learner
    families: dict[str, dict[str, Float64]] = {}
    for arm, of_targets in values.items():
        means = [per_learner(row[cold], sequence.astype(np.int32)) for row in of_targets]
        families.setdefault(experiment.space_of(arm), {})[arm] = np.stack(means)
    return tuple(pair for arms in families.values() for pair in judge(arms))
