"""What a study of texts may say: its metrics, and what doesn't fit it."""

import math

from recsweep.config.schema import Experiment, Folds, MetricKind, Question, Targets, Text


def _check(experiment: Experiment) -> None:
    rule, unused = experiment.folds, Folds()
    for name in ("min_user_events", "min_item_events"):
        if getattr(rule, name) != getattr(unused, name):
            raise ValueError(f"folds.{name} is for logs of events; leave it out")
    if experiment.targets != Targets():
        raise ValueError("targets is for task: next_item; leave it out")
    if experiment.metric.calibration != "none":
        raise ValueError("metric.calibration is for task: purchase; leave it out")
    if experiment.text != Text(language=experiment.text.language):
        raise ValueError("text: of its keys, task text uses language alone; leave out the others")


QUESTION = Question(
    metrics={
        "log_loss": MetricKind("log loss", lower_is_better=True, within=(0, math.inf)),
        "accuracy": MetricKind("accuracy", within=(0, 1)),
        "macro_f1": MetricKind("macro-F1", within=(0, 1), decides=False),
        "roc_auc": MetricKind("ROC AUC", within=(0, 1), decides=False),
        "ece": MetricKind("ECE", lower_is_better=True, within=(0, 1), decides=False),
    },
    metric="log_loss",
    reads=("texts",),
    folds=("time", "stratified", "group"),
    check=_check,
)
