"""Importance of parameters: fANOVA, or PED-ANOVA where few trials are complete."""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import optuna
from markupsafe import Markup
from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator
from optuna.samplers import RandomSampler

from recsweep.records.study import TrialRow
from recsweep.reporting.charts.svg import WIDTH, figure, tag
from recsweep.reporting.view import View, short
from recsweep.spaces.declared import DeclaredSpace

ENOUGH = 10
"""Trials below which either method sees mostly noise."""
BEST = 0.25
"""Share of the trials that count as good where stopped ones are taken as well."""

NAMES, ROW = 120.0, 22.0


@dataclass(frozen=True, slots=True)
class Importance:
    """Shares by parameter, the largest first, and the scored trials that they are from."""

    shares: Mapping[str, float]
    complete: int
    stopped: int  # 0: fANOVA on the complete alone; otherwise PED-ANOVA on both


def importances(
    space: DeclaredSpace, trials: list[TrialRow], goodness: Callable[[float], float]
) -> Importance | None:
    """How much each parameter mattered, of those that every configuration has.

    With enough complete trials the share of their score's variance (fANOVA, Hutter et al. 2014).
    Otherwise stopped ones are taken as well. Their scores are of fewer epochs, so their sizes say
    nothing; but each was behind when it was stopped. PED-ANOVA (Watanabe et al. 2023) asks for no
    more: how the best quarter's values differ from those of all.

    Args:
        space: of the family.
        trials: of the family.
        goodness: a score with the sign that makes more better.

    Returns:
        None: too few trials, nothing varies, or every trial scored the same.
    """
    axes = [parameter for parameter in space.parameters.values() if not parameter.when]
    scored = {t.id: t.best.value for t in trials if t.best and t.state != "failed"}
    complete = [t for t in trials if t.state == "complete" and t.id in scored]
    stopped = [t for t in trials if t.state == "pruned" and t.id in scored]
    if len(complete) >= ENOUGH:
        stopped = []
    used = [*complete, *stopped]
    if len(used) < ENOUGH or len(axes) < 2 or len({scored[t.id] for t in used}) < 2:
        return None
    evaluator = (
        PedAnovaImportanceEvaluator(target_quantile=BEST)
        if stopped
        else FanovaImportanceEvaluator(seed=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study = optuna.create_study(direction="maximize", sampler=RandomSampler(seed=0))
        for trial in used:
            study.add_trial(
                optuna.trial.create_trial(
                    params={axis.name: trial.config[axis.name] for axis in axes},
                    distributions={axis.name: axis.distribution() for axis in axes},
                    value=goodness(scored[trial.id]),
                )
            )
        found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    shares = {name: float(share) for name, share in found.items()}
    known = all(map(math.isfinite, shares.values()))
    return Importance(shares, len(complete), len(stopped)) if known else None


def importance_bars(view: View, family: str, found: Importance) -> Markup:
    """Bars with their share."""
    widest = max(found.shares.values()) or 1.0
    room = WIDTH - NAMES - 46
    parts = []
    for row, (name, share) in enumerate(found.shares.items()):
        y, width = row * ROW + 4, max(1.0, room * share / widest)
        middle = y + ROW / 2 - 1
        parts += [
            tag("text", short(name), x=NAMES - 6, y=middle + 1, class_="name end"),
            tag(
                "rect",
                x=NAMES,
                y=y,
                width=width,
                height=ROW - 8,
                class_=f"bar {view.marks[family].colour}",
            ),
            tag("text", f"{share:.0%}", x=NAMES + width + 6, y=middle + 1, class_="value"),
        ]
    label = view.say("importance_label", family=view.label(family))
    return figure(ROW * len(found.shares) + 4, label, *parts)
