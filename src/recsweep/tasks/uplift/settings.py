"""What a study of treatments may say: the key `uplift`, its metrics, and what doesn't fit it."""

from typing import Annotated

from pydantic import Field

from recsweep.config.schema import Experiment, MetricKind, Question
from recsweep.tasks.purchase.settings import Looks, check_looks


class Uplift(Looks):
    """What may be done with the answers."""

    budget: Annotated[float, Field(gt=0, le=1)] = 0.3  # the share of examples that may be treated


def _check(experiment: Experiment) -> None:
    check_looks(experiment)
    if experiment.metric.calibration != "none":
        raise ValueError("metric.calibration is for task: purchase; leave it out")


QUESTION = Question(
    metrics={
        "qini": MetricKind("Qini coefficient", additive=False),
        "auuc": MetricKind("AUUC", additive=False),
        "uplift_top_tenth": MetricKind("uplift in the top tenth", additive=False),
        "policy_value_dr": MetricKind("policy value, doubly robust", additive=False),
        "policy_value_ips": MetricKind(
            "policy value, inverse propensity", additive=False, beside=False
        ),
    },
    metric="qini",
    settings=Uplift,
    reads=("events", "sessions"),
    treatment=True,
    folds=("time", "stratified"),
    check=_check,
)
