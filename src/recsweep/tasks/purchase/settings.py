"""What a study of purchases may say: the key `purchase`, its metrics, and what doesn't fit it."""

import math
from typing import Annotated

from pydantic import Field

from recsweep.config.schema import (
    GAP,
    TYPE,
    EventType,
    Experiment,
    Folds,
    MetricKind,
    Question,
    Schema,
    Targets,
)


class Looks(Schema):
    """What is an example."""

    exposures: Annotated[tuple[EventType, ...], Field(min_length=1)] = ("browse",)
    window_days: Annotated[float, Field(gt=0)] = 7  # bought within it: a purchase


class Purchase(Looks):
    """What is made of its probability besides."""

    price: str | None = None  # a numeric column of items: for expected revenue


def check_looks(experiment: Experiment) -> None:
    """Which keys don't fit a task whose examples are looks.

    Raises:
        ValueError: one is given.
    """
    task = experiment.task
    if experiment.folds.min_user_events != Folds().min_user_events:
        raise ValueError("folds.min_user_events is for task: next_item; leave it out")
    if experiment.targets != Targets():
        raise ValueError(f"targets is for task: next_item; {task} has a key of its own")
    for name in (TYPE, GAP):
        if name in (experiment.feature_names or ()):
            raise ValueError(f"features: task {task} always uses {name}; leave it out")


QUESTION = Question(
    metrics={
        "log_loss": MetricKind("log loss", lower_is_better=True, within=(0, math.inf)),
        "roc_auc": MetricKind("ROC AUC", within=(0, 1), decides=False),
        "pr_auc": MetricKind("PR AUC", within=(0, 1), decides=False),
        "brier": MetricKind("Brier score", lower_is_better=True, within=(0, 1)),
        "ece": MetricKind("ECE", lower_is_better=True, within=(0, 1), decides=False),
        "precision": MetricKind("precision", within=(0, 1), decides=False, beside=False),
        "f1": MetricKind("F1", within=(0, 1), decides=False, beside=False),
        "lift": MetricKind(
            "lift in the top tenth", within=(0, math.inf), decides=False, beside=False
        ),
        "expected_revenue": MetricKind(
            "expected revenue in the top tenth", decides=False, beside=False
        ),
        "revenue": MetricKind("revenue in the top tenth", decides=False, beside=False),
    },
    metric="log_loss",
    settings=Purchase,
    reads=("events", "sessions"),
    folds=("time", "stratified"),
    check=check_looks,
)
