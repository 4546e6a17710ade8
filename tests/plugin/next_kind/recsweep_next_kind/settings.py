"""What a study of the next event's kind may say."""

from recsweep.config.schema import EventType, Experiment, MetricKind, Question, Schema, Targets


class NextKind(Schema):
    """Which kind is asked for."""

    kind: EventType


def _check(experiment: Experiment) -> None:
    if experiment.targets != Targets():
        raise ValueError("targets is not for task: next_kind; leave it out")


QUESTION = Question(
    metrics={
        "log_loss": MetricKind("log loss", lower_is_better=True, bound=None),
        "accuracy": MetricKind("accuracy"),
    },
    metric="log_loss",
    settings=NextKind,
    check=_check,
)
