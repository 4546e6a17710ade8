"""Importance of parameters, by fANOVA over a family's complete trials."""

import math
import warnings

import optuna
from markupsafe import Markup

from recsweep.records.study import TrialRow
from recsweep.reporting.charts.svg import WIDTH, figure, tag
from recsweep.reporting.view import View, short
from recsweep.spaces.declared import DeclaredSpace

ENOUGH = 10
"""Complete trials below which a forest of regression trees sees mostly noise."""

NAMES, ROW = 120.0, 22.0


def importances(space: DeclaredSpace, trials: list[TrialRow]) -> dict[str, float] | None:
    """Share of the score's variance by parameter, largest first (Hutter et al. 2014).

    Only parameters that every configuration has: conditional ones are left out. None: too few
    complete trials, nothing varies, or every trial scored the same.
    """
    axes = [parameter for parameter in space.parameters.values() if not parameter.when]
    complete = [t for t in trials if t.state == "complete" and t.best]
    scores = {t.best.value for t in complete if t.best}
    if len(complete) < ENOUGH or len(axes) < 2 or len(scores) < 2:
        return None
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for trial in complete:
        study.add_trial(
            optuna.trial.create_trial(
                params={axis.name: trial.config[axis.name] for axis in axes},
                distributions={axis.name: axis.distribution() for axis in axes},
                value=trial.best.value if trial.best else None,
            )
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=0)
        )
    shares = {name: float(share) for name, share in found.items()}
    return shares if all(map(math.isfinite, shares.values())) else None


def importance_bars(view: View, family: str) -> Markup | None:
    """Bars with their share; None where `importances` has none."""
    found = importances(view.study.spaces[family], view.trials(family))
    if found is None:
        return None
    widest = max(found.values()) or 1.0
    room = WIDTH - NAMES - 46
    parts = []
    for row, (name, share) in enumerate(found.items()):
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
    label = view.say("importance_label", family=family)
    return figure(ROW * len(found) + 4, label, *parts)
