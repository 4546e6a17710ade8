"""`metric`: what trials are compared by, and which way is better."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, model_validator

from recsweep.config.schema.base import PositiveInt, Schema, later
from recsweep.config.schema.task import MetricKind, metric_kinds


def lower_is_better(key: str) -> bool:
    """Does less mean better? `key` as in `Metric.key`; also of metrics that are only reported."""
    return _kind(key).lower_is_better


def goodness(key: str, value: float) -> float:
    """`value` of the metric `key` with the sign that makes more better."""
    return -value if lower_is_better(key) else value


def is_additive(key: str) -> bool:
    """Do its values of some learners alone mean something? Otherwise only the mean of all does."""
    return _kind(key).additive


def written(key: str) -> str:
    """`ndcg@10` as people write it: NDCG@10."""
    _, at, k = key.partition("@")
    return _kind(key).written + at + k


def span(key: str) -> float | None:
    """What two scores of the metric `key` can differ by at most; None: without a bound."""
    least, most = _kind(key).within
    return most - least if math.isfinite(most - least) else None


def within_bounds(key: str, value: float) -> float:
    """`value`, or the end of what the metric `key` can be where it lies beyond."""
    least, most = _kind(key).within
    return min(max(value, least), most)


def _kind(key: str) -> MetricKind:
    """One that no task here has is without bounds, and more of it is better."""
    name = key.partition("@")[0]
    return metric_kinds().get(name) or MetricKind(name)


def _allowed() -> list[str]:
    return [name for name, kind in metric_kinds().items() if kind.decides]


def _decides(name: str) -> str:
    if name not in _allowed():
        raise ValueError(f"should be one of {', '.join(_allowed())}, found {name!r}")
    return name


def _with_names(schema: dict[str, Any]) -> None:
    schema["properties"]["name"]["enum"] = _allowed()


class Metric(Schema):
    """The score that trials are compared by, and the cut-offs that are reported.

    Verdicts resample learners, so it is a mean over them, or has a derivative by a learner's
    weight, as `qini` has. ROC AUC and the like are reported, but no study is decided by them.
    """

    model_config = ConfigDict(json_schema_extra=_with_names)

    name: Annotated[str, AfterValidator(_decides)] = "ndcg"
    k: PositiveInt = 10  # of a metric with a cut-off
    report_k: tuple[PositiveInt, ...] = (5, 10, 20)
    calibration: Literal["none", "platt", "isotonic"] = later("none")  # of probabilities

    @model_validator(mode="after")
    def _k_is_reported(self) -> Self:
        if self.k not in self.report_k:
            raise ValueError(f"k = {self.k} must be one of report_k = {list(self.report_k)}")
        fields = type(self).model_fields
        changed = [n for n in ("k", "report_k") if getattr(self, n) != fields[n].default]
        if self._at_k and self.calibration != "none":
            raise ValueError(f"{self.name} is of ranks: there is nothing to calibrate")
        if not self._at_k and changed:
            raise ValueError(f"{self.name} has no cut-off: leave out {' and '.join(changed)}")
        return self

    @property
    def _at_k(self) -> bool:
        return metric_kinds()[self.name].at_k

    @property
    def key(self) -> str:
        """`ndcg@10`, `log_loss`; the name used in every file, run and page."""
        return f"{self.name}@{self.k}" if self._at_k else self.name

    @property
    def lower_is_better(self) -> bool:
        """The direction that every comparison of this study's scores reads."""
        return lower_is_better(self.key)

    @property
    def bound(self) -> float | None:
        """What two scores of one learner can differ by at most; None: without a bound."""
        return span(self.key)

    def goodness(self, value: float) -> float:
        """`value` with the sign that makes more better: what scores are sorted by."""
        return goodness(self.key, value)
