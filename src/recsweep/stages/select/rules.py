"""The two rules that pick a configuration. Only complete trials can be picked."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from recsweep.config.schema import Metric
from recsweep.config.values import Configuration
from recsweep.errors import WorkFailed
from recsweep.models.registry import families_of
from recsweep.records.selection import Choice, Selection
from recsweep.records.study import Study, TrialRow
from recsweep.records.user_values import FoldValues
from recsweep.training.epoch import EpochReport

UserValues = Callable[[str], Sequence[FoldValues]]
"""Trial id -> its learners' scores, one entry a fold."""


def select(
    study: Study,
    user_values: UserValues,
    near_edge: Callable[[str, Configuration], Sequence[str]] = lambda family, config: (),
) -> Selection:
    """Pick one trial of each family by the experiment's rule.

    `best_mean`: the best mean over folds; of equals the one tried first.
    `one_standard_error`: the one to be trained for the fewest epochs among the trials whose mean is
    within one paired standard error of that best (Breiman et al. 1984, section 3.4.3, with the
    standard error of the difference instead of the best's own: trials share their learners); of
    equals the better. Seconds have no say: they differ from run to run.

    Args:
        study: with trials of every family.
        user_values: asked only for complete trials.
        near_edge: family and configuration -> warnings.

    Raises:
        WorkFailed: a family has no complete trial.
    """
    rule, metric = study.experiment.selection.rule, study.experiment.metric
    families = {}
    for family in study.experiment.families:
        complete = [t for t in study.trials if t.family == family and t.state == "complete"]
        if not complete:
            raise WorkFailed(
                f"{family}: none of its trials is complete, so none can be selected"
                + _common_reason(study, family)
            )
        best = max(complete, key=lambda t: (_goodness(t, metric), -t.number))
        close = [t for t in complete if t is best or _is_close(best, t, metric, user_values)]
        chosen = (
            best
            if rule == "best_mean"
            else min(close, key=lambda t: (_best(t).epoch, -_goodness(t, metric), t.number))
        )
        warnings = tuple(near_edge(family, chosen.config))
        families[family] = _choice(study, chosen, warnings, len(close), len(complete))
    return Selection(rule, metric.key, families)


def paired_standard_error(a: Sequence[FoldValues], b: Sequence[FoldValues]) -> float:
    """Standard error of the difference of two trials' means over folds, learners as the units.

    Each fold counts the same, whatever its number of learners n_f. A learner u contributes the sum
    over its folds of (d_uf - mean_f) / (F n_f), where d_uf is the difference in fold f, and the
    variance is the sum of squared contributions: a learner in several folds is still one learner.
    """
    contributions: dict[int, float] = {}
    for x, y in zip(a, b, strict=True):
        if not np.array_equal(x.user, y.user):
            raise WorkFailed(f"{x.fold}: two trials were scored on different learners")
        difference = x.value.astype(np.float64) - y.value
        parts = (difference - difference.mean()) / (len(a) * len(difference))
        for user, part in zip(x.user.tolist(), parts.tolist(), strict=True):
            contributions[user] = contributions.get(user, 0.0) + part
    return math.sqrt(sum(part * part for part in contributions.values()))


def _is_close(best: TrialRow, other: TrialRow, metric: Metric, user_values: UserValues) -> bool:
    error = paired_standard_error(user_values(best.id), user_values(other.id))
    return _goodness(best, metric) - _goodness(other, metric) <= error


def _goodness(trial: TrialRow, metric: Metric) -> float:
    return metric.goodness(_best(trial).value)


def _best(trial: TrialRow) -> EpochReport:
    assert trial.best is not None  # a complete trial has epochs
    return trial.best


def _choice(
    study: Study, trial: TrialRow, warnings: tuple[str, ...], within: int, candidates: int
) -> Choice:
    best, kind = _best(trial), study.spaces[trial.family].family
    length = families_of(study.experiment.task)[kind].epochs
    return Choice(
        family=trial.family,
        kind=kind,
        trial=trial.id,
        config=trial.config,
        seed=trial.seed,
        epochs=best.epoch,
        value=best.value,
        metrics=best.metrics,
        converged=length is not None or best.epoch < len(trial.epochs),
        near_edge=warnings,
        within=within,
        candidates=candidates,
    )


def _common_reason(study: Study, family: str) -> str:
    reasons = [t.reason for t in study.trials if t.family == family and t.reason]
    return f"; the last one: {reasons[-1]}" if reasons else ""
