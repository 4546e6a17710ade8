"""Every trial as data, for the page's script: its table, and what the charts tell."""

import json

from markupsafe import Markup

from recsweep.records.study import TrialRow
from recsweep.reporting.sections.budgets import core_seconds
from recsweep.reporting.view import View
from recsweep.spaces.parameter import Parameter

WORDS = (
    *("trial", "family", "state", "epochs", "best_epoch", "core_seconds", "settings"),
    *("complete", "pruned", "failed", "state_complete", "state_pruned", "state_failed"),
    *("at_epoch", "trials_shown", "chart_keys", "selected_trial", "first_trial"),
)


def trial_data(view: View) -> Markup:
    """JSON that may stand in a page: families, trials, and the script's words."""
    families = [
        {
            "name": view.label(family),
            "mark": view.marks[family].index,
            "swatch": view.marks[family].swatch(),
            "parameters": [_parameter(p) for p in view.study.spaces[family].parameters.values()],
        }
        for family in view.families
    ]
    data = {
        "metric": view.metric,
        "sign": view.goodness(1.0),
        "families": families,
        "selected": [choice.trial for choice in view.selection.families.values()],
        "trials": [_trial(view, trial) for f in view.families for trial in view.trials(f)],
        "words": {key: view.words[key] for key in WORDS},
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _parameter(p: Parameter) -> dict[str, object]:
    if p.choices:
        return {"name": p.name, "choices": p.choices}
    return {"name": p.name, "low": p.low, "high": p.high, "log": p.log, "whole": p.int is not None}


def _trial(view: View, trial: TrialRow) -> dict[str, object]:
    best = trial.best
    return {
        "id": trial.id,
        "mark": view.marks[trial.family].index,
        "state": trial.state,
        "score": best.value if best else None,
        "best": best.epoch if best else None,
        "epochs": len(trial.epochs),
        "seconds": round(core_seconds(view, trial), 2),
        "reason": trial.reason if trial.state == "failed" else None,
        "config": dict(trial.config),
    }
