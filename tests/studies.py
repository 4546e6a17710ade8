"""Small finished studies."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.records.study import Study, SweepSession, TrialRow, TrialState
from recsweep.records.user_values import FoldValues
from recsweep.spaces.declared import DeclaredSpace
from recsweep.training.epoch import EpochReport

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def trial_row(
    number: int,
    values: Sequence[float],
    *,
    family: str = "gru",
    state: TrialState = "complete",
    reason: str | None = None,
    fit_seconds: float = 10.0,
    lower_is_better: bool = False,
    parameters: int | None = None,
) -> TrialRow:
    """A trial with this score in each epoch, the same in both folds."""
    return TrialRow(
        id=f"{family}-{number:04d}",
        family=family,
        number=number,
        state=state,
        reason=reason,
        config={"learning_rate": 0.1 + 0.2, "depth": 1, "loss": "bpr", "tied": False},
        seed=number,
        epochs=tuple(
            EpochReport(
                n,
                v,
                {"ndcg@10": (v, v), "mrr@5": (v / 3, v / 7)},
                losses=(1 / n, None),
                gradient_norms=(5 / n, None),
                parameters=parameters if n == 1 else None,
            )
            for n, v in enumerate(values, 1)
        ),
        fit_seconds=fit_seconds,
        evaluate_seconds=1 / 3,
        started=NOW,
        ended=NOW,
        lower_is_better=lower_is_better,
    )


def study_with(*trials: TrialRow, experiment: Experiment | None = None) -> Study:
    """A study of `gru` (and whatever else the experiment names)."""
    experiment = experiment or experiment_of()
    return Study(
        experiment=experiment,
        spaces={name: DeclaredSpace(family=name) for name in experiment.families},
        dataset="test-0123",
        fingerprint="f00",
        environment={"python": "3.11", "code": {"commit": None}},
        folds={"fold0": {"targets": 3}},
        sessions=(SweepSession(NOW, 10.0, 1.5, 2, 18.0, len(trials)),),
        trials=trials,
    )


def scores(*folds: Sequence[float]) -> tuple[FoldValues, ...]:
    """Learners 0, 1, 2, … of each fold."""
    return tuple(
        FoldValues(f"fold{n}", np.arange(len(v), dtype=np.int32), np.array(v, np.float64))
        for n, v in enumerate(folds)
    )
