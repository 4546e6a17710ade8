"""One trial: one configuration of one family, trained on all folds epoch by epoch.

No Ray and no W&B in here. The search drives `Trial.advance`; tests, `confirm` and `reproduce` call
`run_trial`, which is the same path.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from recsweep.config.schema import Metric
from recsweep.data.types import Float32, Fold

Value = bool | int | float | str
Configuration = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class EpochReport:
    """What all folds reached after one more epoch."""

    epoch: int  # from 1
    value: float  # the study's metric, mean over folds
    metrics: Mapping[str, tuple[float, ...]]  # e.g. `ndcg@10` -> one value a fold
    losses: tuple[float, ...]  # mean training loss, one a fold
    fit_seconds: float
    evaluate_seconds: float
    user_values: tuple[Float32, ...] = field(repr=False)  # the study's metric a user, one a fold


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial's whole curve; its score is the best epoch's mean over folds."""

    family: str
    config: Configuration
    seed: int
    reports: tuple[EpochReport, ...]

    @property
    def best(self) -> EpochReport:
        """The epoch with the highest mean over folds; of equals the earliest."""
        return max(self.reports, key=lambda report: (report.value, -report.epoch))
