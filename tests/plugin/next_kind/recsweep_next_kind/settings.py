"""What a study of the next event's kind may say."""

import math

from recsweep.config.schema import EventType, Experiment, MetricKind, Question, Schema, Targets


class NextKind(Schema):
    """Which kind is asked for."""

    kind: EventType


def _check(experiment: Experiment) -> None:
    if experiment.targets != Targets():
        raise ValueError("targets is not for task: next_kind; leave it out")
    if experiment.metric.calibration != "none":
        raise ValueError("metric.calibration is not for task: next_kind; leave it out")


QUESTION = Question(
    metrics={
        "log_loss": MetricKind("log loss", lower_is_better=True, within=(0, math.inf)),
        "accuracy": MetricKind("accuracy", within=(0, 1)),
    },
    metric="log_loss",
    settings=NextKind,
    check=_check,
)
