"""The rules that pick a configuration. Only complete trials can be picked."""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from recsweep.config.schema import Metric
from recsweep.config.values import Configuration
from recsweep.errors import WorkFailed
from recsweep.evaluation.front import knee
from recsweep.models.registry import families_of
from recsweep.records.costs import cost_of
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
    `limit`: the best mean among the trials that are inside of `selection.limits`.
    `knee`: where more of `selection.against` stops paying: `evaluation/front.py`.
    What a trial costs is what was recorded of it, times included.

    Args:
        study: with trials of every family.
        user_values: asked only for complete trials.
        near_edge: family and configuration -> warnings.

    Raises:
        WorkFailed: a family has no complete trial, none inside of the limits, or one of which
            nobody recorded the cost.
    """
    selection, metric = study.experiment.selection, study.experiment.metric
    families = {}
    for family in study.experiment.families:
        complete = [t for t in study.trials if t.family == family and t.state == "complete"]
        if not complete:
            raise WorkFailed(
                f"{family}: none of its trials is complete, so none can be selected"
                + _common_reason(study, family)
            )
        if selection.rule == "limit":
            complete = _inside(family, complete, selection.limits.given)
        best = max(complete, key=lambda t: (_goodness(t, metric), -t.number))
        close = [t for t in complete if t is best or _is_close(best, t, metric, user_values)]
        chosen = best
        if selection.rule == "one_standard_error":
            chosen = min(close, key=lambda t: (_best(t).epoch, -_goodness(t, metric), t.number))
        elif selection.against is not None:
            costs = [_cost(trial, selection.against) for trial in complete]
            chosen = complete[knee(costs, [_goodness(t, metric) for t in complete])]
        warnings = tuple(near_edge(family, chosen.config))
        families[family] = _choice(study, chosen, warnings, len(close), len(complete))
    return Selection(selection.rule, metric.key, families)


def _inside(family: str, trials: list[TrialRow], limits: Mapping[str, float]) -> list[TrialRow]:
    found = [t for t in trials if all(_cost(t, name) <= most for name, most in limits.items())]
    if not found:
        raise WorkFailed(
            f"{family}: none of its {len(trials)} complete trials is inside of selection.limits "
            f"({', '.join(f'{name} {most:g}' for name, most in limits.items())}); raise a limit, "
            "or give it to the search as limits"
        )
    return found


def _cost(trial: TrialRow, cost: str) -> float:
    found = cost_of(trial, cost)
    if found is None:
        raise WorkFailed(
            f"{trial.id}: nobody recorded its {cost}, which selection.rule asks for; search again "
            "under another study name, or take another rule"
        )
    return found


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
