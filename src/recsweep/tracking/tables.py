"""A study's tables, as (columns, rows), for whoever shows them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from recsweep.config.schema import Experiment
from recsweep.evaluation.front import front
from recsweep.records.costs import COSTS, cost_of
from recsweep.records.study import TrialRow
from recsweep.spaces.declared import DeclaredSpace

RunTable = tuple[list[str], list[list[Any]]]


def space_table(spaces: Mapping[str, DeclaredSpace]) -> RunTable:
    """One row a parameter of each family: its range, its role and why it varies."""
    columns = ["family", "parameter", "range", "scale", "when", "role", "why"]
    rows = []
    for family, space in spaces.items():
        for p in space.parameters.values():
            kind, found = p.declared
            scale = "log" if p.log else "" if p.choice else "linear"
            shown = f"{'pow2' if p.pow2 else kind} {list(found)}"
            shown += f" step {p.step:g}" if p.step else ""
            rows.append([family, p.name, shown, scale, p.condition, p.role, p.why])
    return columns, rows


def fronts_table(experiment: Experiment, trials: Sequence[TrialRow]) -> RunTable:
    """Each family's fronts of score against every recorded cost, from the cheapest trial on."""
    rows: list[list[Any]] = []
    for family in dict.fromkeys(trial.family for trial in trials):
        mine = [t for t in trials if t.family == family and t.state == "complete"]
        for cost in COSTS:
            known = [(at, t) for t in mine if (at := cost_of(t, cost)) is not None]
            goodness = [experiment.metric.goodness(t.value or 0.0) for _, t in known]
            for n in front([at for at, _ in known], goodness):
                rows.append([family, cost, known[n][0], known[n][1].value, known[n][1].id])
    return ["family", "cost", "value", experiment.metric.key, "trial"], rows


def leaderboard_table(experiment: Experiment, trials: Sequence[TrialRow]) -> RunTable:
    """Every trial, the best first; those without a score come last."""
    key = experiment.metric.key
    columns = ["trial", "family", "state", key, "best_epoch", "epochs", "fit_seconds", "reason"]
    goodness = experiment.metric.goodness
    ordered = sorted(trials, key=lambda t: -goodness(t.best.value) if t.best else math.inf)
    rows = [
        [
            trial.id,
            trial.family,
            trial.state,
            trial.best.value if trial.best else None,
            trial.best.epoch if trial.best else None,
            len(trial.epochs),
            trial.fit_seconds,
            trial.reason or "",
        ]
        for trial in ordered
    ]
    return columns, rows
