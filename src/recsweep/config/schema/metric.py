"""`metric`: what trials are compared by, and which way is better."""

from typing import Literal, Self

from pydantic import model_validator

from recsweep.config.schema.base import PositiveInt, Schema, later

PROBABILITY_METRICS = ("log_loss", "brier")
"""Those of the task `purchase`; the others rank."""


def lower_is_better(key: str) -> bool:
    """Does less mean better? `key` as in `Metric.key`; also of metrics that are only reported."""
    return key in {"log_loss", "brier", "ece"}


def goodness(key: str, value: float) -> float:
    """`value` of the metric `key` with the sign that makes more better."""
    return -value if lower_is_better(key) else value


class Metric(Schema):
    """The score that trials are compared by, and the cut-offs that are reported.

    It must be a mean over learners: verdicts resample them. That is why an area under a curve is
    reported, but can't be what a study is decided by.
    """

    name: Literal["recall", "ndcg", "mrr", "log_loss", "brier"] = "ndcg"
    k: PositiveInt = 10  # of a ranking metric
    report_k: tuple[PositiveInt, ...] = (5, 10, 20)
    calibration: Literal["none", "platt", "isotonic"] = later("none")  # of probabilities

    @model_validator(mode="after")
    def _k_is_reported(self) -> Self:
        if self.k not in self.report_k:
            raise ValueError(f"k = {self.k} must be one of report_k = {list(self.report_k)}")
        fields = type(self).model_fields
        changed = [n for n in ("k", "report_k") if getattr(self, n) != fields[n].default]
        if self.name not in PROBABILITY_METRICS and self.calibration != "none":
            raise ValueError(f"{self.name} is of ranks: there is nothing to calibrate")
        if self.name in PROBABILITY_METRICS and changed:
            raise ValueError(f"{self.name} has no cut-off: leave out {' and '.join(changed)}")
        return self

    @property
    def key(self) -> str:
        """`ndcg@10`, `log_loss`; the name used in every file, run and page."""
        return self.name if self.name in PROBABILITY_METRICS else f"{self.name}@{self.k}"

    @property
    def lower_is_better(self) -> bool:
        """The direction that every comparison of this study's scores reads."""
        return lower_is_better(self.key)

    @property
    def bound(self) -> float | None:
        """What two scores of one learner can differ by at most; None: without a bound."""
        return None if self.name == "log_loss" else 1.0

    def goodness(self, value: float) -> float:
        """`value` with the sign that makes more better: what scores are sorted by."""
        return goodness(self.key, value)
