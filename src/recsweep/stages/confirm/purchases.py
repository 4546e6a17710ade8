"""What the sealed test says of probabilities beyond the means over learners."""

from collections.abc import Sequence

import numpy as np

from recsweep.config.schema import Experiment
from recsweep.data.features import ID
from recsweep.data.simulator.truth import true_probabilities
from recsweep.data.types import Dataset, Float64, Fold, Int64
from recsweep.evaluation.jackknife import jackknife
from recsweep.evaluation.probability import (
    BINS,
    decisions,
    reliability,
    report_at_threshold,
)
from recsweep.models.cases import labels_of
from recsweep.records.confirmation import AnswerQuality, Estimate, PurchaseDetails
from recsweep.stages.confirm.refits import Scored, Test
from recsweep.tasks.purchase.task import final_probability
from recsweep.tasks.registry import TASKS


def pooled_estimates(runs: Sequence[Scored], test: Test, level: float) -> dict[str, Estimate]:
    """Metric -> mean over runs, of metrics of all targets together; empty where there are none."""
    task, targets = TASKS[test.task], test.fold.validation

    def means(positions: Int64) -> dict[str, float]:
        part = targets.at(positions)
        found = [task.pooled(run.outcomes[positions], part, test.metric) for run in runs]
        return {key: float(np.mean([one[key] for one in found])) for key in found[0]}

    if not task.pooled(runs[0].outcomes, targets, test.metric):
        return {}
    return {key: Estimate(*e) for key, e in jackknife(means, targets.sequence, level).items()}


def purchase_details(run: Scored, test: Test) -> PurchaseDetails | None:
    """Of one refit; None for another task."""
    targets = test.fold.validation
    if targets.labels is None:
        return None
    bought = labels_of(targets).bought
    probability = final_probability(run.outcomes, targets, test.metric)
    _, thresholds = decisions(probability, bought, targets.sequence)
    report = report_at_threshold(probability, bought, targets.sequence)
    return PurchaseDetails(
        threshold=float(np.mean(thresholds)),
        answers={
            answer: AnswerQuality(
                precision=report[answer]["precision"],
                recall=report[answer]["recall"],
                f1=report[answer]["f1-score"],
                support=int(report[answer]["support"]),
            )
            for answer in ("no purchase", "purchase")
        },
        reliability=reliability(probability, bought, BINS),
    )


def best_possible(experiment: Experiment, dataset: Dataset, fold: Fold) -> float | None:
    """What the true probabilities score on the fold's window; None where nobody knows them."""
    settings, targets = experiment.data.simulator, fold.validation
    if settings is None or targets.labels is None or dataset.users is None:
        return None
    user = targets.histories.user[targets.sequence]
    truth: Float64 = true_probabilities(
        settings, dataset.folder.parent / "raw", dataset.users[ID].gather(user), targets.time
    )
    values = TASKS[experiment.task].target_values(truth, targets, experiment.metric)
    return float(values[experiment.metric.key].mean())
