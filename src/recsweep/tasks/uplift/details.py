"""What a confirmation says of treatments besides: the curve, the effect, and who was treated."""

import numpy as np
import torch

from recsweep.config.schema import Metric, Schema
from recsweep.data.types import Float64, Targets
from recsweep.evaluation.probability import linearised_by_learner
from recsweep.evaluation.uplift import auc_values
from recsweep.models.cases import labels_of
from recsweep.models.uplift import treatments_of
from recsweep.tasks.task import Outcomes
from recsweep.tasks.uplift.scores import rows_of

POINTS = 41
"""Of a curve, at equal steps of the share that is treated first."""
Z = 1.959963984540054
"""Two-sided 95% of the normal distribution."""


class Interval(Schema):
    """A figure with its 95% interval over learners."""

    value: float
    lower: float
    upper: float


class UpliftDetails(Schema):
    """Of the first seed's model; all but the curve is the same for every family."""

    curve: tuple[float, ...]  # the Qini curve at shares 0 to 1
    effect: Interval  # of treatment on average
    rate: float  # of yes among the untreated
    treated: int
    budget: float
    # The area under the ROC curve of a classifier that guesses from the features who was treated;
    # None: the data give the probability of treatment.
    assignment_auc: Interval | None

    @property
    def depends_on_features(self) -> bool:
        """Was treatment given by features, and nobody said with what probability?"""
        return self.assignment_auc is not None and self.assignment_auc.lower > 0.5


def details_of(outcomes: Outcomes, targets: Targets, metric: Metric) -> UpliftDetails:
    """Of one refit's differences."""
    labels, rows = labels_of(targets), rows_of(outcomes, targets)
    treatments = treatments_of(labels)
    sums = rows.cumulated(torch.ones(len(targets), dtype=torch.float64))
    curve = np.interp(np.linspace(0, 1, POINTS), sums.share.numpy(), sums.qini.numpy())
    guessed = treatments.guessed
    return UpliftDetails(
        curve=tuple(curve.tolist()),
        effect=_interval(rows.values(rows.effect), targets),
        rate=float(sums.b[-1] / sums.c[-1]),
        treated=int(treatments.treated.sum()),
        budget=treatments.budget,
        assignment_auc=(
            None if guessed is None else _interval(auc_values(guessed, treatments.treated), targets)
        ),
    )


def _interval(values: Float64, targets: Targets) -> Interval:
    of_learners = linearised_by_learner(values, targets.sequence)
    mean = float(of_learners.mean())
    away = Z * float(of_learners.std(ddof=1)) / len(of_learners) ** 0.5
    return Interval(value=mean, lower=mean - away, upper=mean + away)
