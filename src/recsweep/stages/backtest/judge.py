"""From every arm's answers to scores and verdicts, in each step and over all of them.

All arms are held to the targets that the arm `refit` was asked. One that a model which was never
refitted can't be asked (its whole history is of courses that came later) counts as the worst that
the metric can be; of a metric without such a value it is left out for every arm.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from recsweep.config.schema import Experiment, within_bounds
from recsweep.data.types import Float64, Int32, Mask
from recsweep.evaluation.comparison import compare
from recsweep.evaluation.verdict import PairVerdict
from recsweep.records.backtest import Arm
from recsweep.stages.backtest.fits import Answered
from recsweep.stages.confirm.estimates import LEVEL
from recsweep.tasks.registry import TASKS

CONTRASTS: tuple[tuple[Arm, Arm], ...] = (("refit", "never"), ("search", "refit"))


@dataclass(frozen=True, slots=True)
class Scores:
    """All arms on the same targets."""

    user: Int32  # (n_targets,)
    values: Mapping[Arm, Float64]  # (n_seeds, n_targets)
    unknown: int = 0  # targets of which an arm couldn't be asked
    left_out: int = 0

    def of_learners(self, experiment: Experiment) -> dict[Arm, Float64]:
        """(n_seeds, n_learners)."""
        _, sequence = np.unique(self.user, return_inverse=True)
        by_learner, of = TASKS[experiment.task].per_learner, sequence.astype(np.int32)
        return {
            arm: np.stack([by_learner(row, of) for row in rows])
            for arm, rows in self.values.items()
        }


def scores_of(answers: Mapping[Arm, Answered | None], experiment: Experiment) -> Scores | None:
    """One step's; None: nothing is left of its targets."""
    asked, less = answers["refit"], experiment.metric.lower_is_better
    assert asked is not None
    worst = within_bounds(experiment.metric.key, math.inf if less else -math.inf)
    values, lacking = dict[Arm, Float64](), np.zeros(len(asked.user), bool)
    for arm, answered in answers.items():
        place = _places(asked, answered)
        lacking |= place < 0
        rows = np.full((len(asked.values), len(place)), worst)
        if answered is not None:
            rows = np.where(place < 0, worst, answered.values[:, place])
        values[arm] = rows
    keep: Mask = np.ones(len(lacking), bool) if math.isfinite(worst) else ~lacking
    if not keep.any():
        return None
    return Scores(
        asked.user[keep],
        {arm: rows[:, keep] for arm, rows in values.items()},
        unknown=int((lacking & keep).sum()),
        left_out=int((~keep).sum()),
    )


def over_steps(steps: Sequence[Scores]) -> Scores:
    """All of them as one: a learner of several steps is still one learner."""
    return Scores(
        np.concatenate([step.user for step in steps]),
        {
            arm: np.concatenate([step.values[arm] for step in steps], axis=1)
            for arm in steps[0].values
        },
        left_out=sum(step.left_out for step in steps),
    )


def verdicts(scores: Scores, experiment: Experiment, among: int = 1) -> tuple[PairVerdict, ...]:
    """The declared pairs, adjusted for each other and, by Bonferroni, for `among` such comparisons;
    then any other pair. None of a single learner, and none of two arms that are the same models.
    """
    tables, metric = scores.of_learners(experiment), experiment.metric
    declared = [
        (a, b)
        for a, b in CONTRASTS
        if a in tables and not np.array_equal(scores.values[a], scores.values[b])
    ]
    if tables["refit"].shape[1] < 2 or not declared:
        return ()
    miss = (1 - LEVEL) / among
    return compare(
        {str(arm): table for arm, table in tables.items()},
        experiment.confirm.smallest_effect,
        max(experiment.confirm.resamples, math.ceil(40 / miss)),
        experiment.seed,
        1 - miss,
        lower_is_better=metric.lower_is_better,
        contrasts=declared,
        bound=metric.bound,
    )


def means(scores: Scores, experiment: Experiment) -> dict[Arm, float]:
    """Over seeds and learners."""
    return {arm: float(table.mean()) for arm, table in scores.of_learners(experiment).items()}


def _places(asked: Answered, answered: Answered | None) -> Any:
    """(n_targets,) where each target of `asked` is among those of `answered`; -1: nowhere."""
    if answered is None:
        return np.full(len(asked.user), -1)
    places = _keyed(asked).join(
        _keyed(answered).with_row_index("place"), on=["user", "time", "nth"], how="left",
        maintain_order="left",
    )["place"]  # fmt: skip
    return places.cast(pl.Int64).fill_null(-1).to_numpy()


def _keyed(answered: Answered) -> pl.DataFrame:
    """A learner's targets of one moment stand in the same order wherever they are asked."""
    frame = pl.DataFrame({"user": answered.user, "time": answered.time})
    return frame.with_columns(nth=pl.int_range(pl.len()).over("user", "time"))
