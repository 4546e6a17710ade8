"""What a confirmation says of labels besides: each label's quality, calibration, and duplicates."""

from collections.abc import Mapping

from recsweep.config.schema import Metric, Schema
from recsweep.data.types import Targets
from recsweep.evaluation.probability import BINS, Bin, reliability
from recsweep.models.text.texts import labelled
from recsweep.tasks.task import Outcomes
from recsweep.tasks.text.duplicates import Duplicates, with_duplicates
from recsweep.tasks.text.scores import of_targets


class LabelQuality(Schema):
    """How well one label is given."""

    precision: float
    recall: float
    f1: float
    support: int  # texts that bear it


class TextDetails(Schema):
    """Of the first seed's model."""

    labels: Mapping[str, LabelQuality]
    reliability: tuple[Bin, ...]  # of the label given, by ascending probability
    duplicates: Duplicates | None  # None: there was none, or folds are not at random


def details_of(outcomes: Outcomes, targets: Targets, metric: Metric) -> TextDetails:
    """Of one refit's probabilities."""
    from sklearn.metrics import classification_report

    texts, found = labelled(targets), of_targets(outcomes, targets)
    given = found.argmax(axis=1)
    report = classification_report(
        texts.answer,
        given,
        labels=range(len(texts.classes)),
        target_names=texts.classes,
        output_dict=True,
        zero_division=0.0,
    )
    right = given == texts.answer
    return TextDetails(
        labels={
            label: LabelQuality(
                precision=report[label]["precision"],
                recall=report[label]["recall"],
                f1=report[label]["f1-score"],
                support=int(report[label]["support"]),
            )
            for label in texts.classes
        },
        reliability=reliability(found.max(axis=1), right, BINS),
        duplicates=with_duplicates(outcomes, targets),
    )
