"""What a confirmation says of probabilities besides: decisions and reliability."""

from collections.abc import Mapping

import numpy as np

from recsweep.config.schema import Metric, Schema
from recsweep.data.types import Targets
from recsweep.evaluation.probability import (
    BINS,
    Bin,
    decisions,
    reliability,
    report_at_threshold,
)
from recsweep.models.cases import labels_of
from recsweep.tasks.purchase.scores import final_probability
from recsweep.tasks.task import Outcomes

ANSWERS = ("no purchase", "purchase")


class AnswerQuality(Schema):
    """How well one answer is given at the threshold."""

    precision: float
    recall: float
    f1: float
    support: int  # examples with this answer


class PurchaseDetails(Schema):
    """Decisions and reliability of the first seed's model."""

    threshold: float  # mean of the cross-fitted ones
    answers: Mapping[str, AnswerQuality]  # of each of ANSWERS
    reliability: tuple[Bin, ...]  # by ascending probability, equally many examples in each


def details_of(outcomes: Outcomes, targets: Targets, metric: Metric) -> PurchaseDetails:
    """Of one refit's probabilities."""
    bought = labels_of(targets).bought
    probability = final_probability(outcomes, targets, metric)
    _, thresholds = decisions(probability, bought, targets.sequence)
    report = report_at_threshold(probability, bought, targets.sequence, ANSWERS)
    return PurchaseDetails(
        threshold=float(np.mean(thresholds)),
        answers={
            answer: AnswerQuality(
                precision=report[answer]["precision"],
                recall=report[answer]["recall"],
                f1=report[answer]["f1-score"],
                support=int(report[answer]["support"]),
            )
            for answer in ANSWERS
        },
        reliability=reliability(probability, bought, BINS),
    )
