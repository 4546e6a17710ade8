"""Expected best against budget, in trials and in core-seconds; and fold by fold."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from markupsafe import Markup

from recsweep.evaluation.budget_curves import expected_best, expected_best_by_seconds
from recsweep.records.study import TrialRow
from recsweep.reporting.charts.lines import BOTTOM, LEFT, NAMES, TOP, Line, line_chart
from recsweep.reporting.charts.svg import WIDTH, Point, Scale, nice_range
from recsweep.reporting.other_budget import other_budget, told
from recsweep.reporting.view import View, score

HEIGHT = 230.0
POINTS = 48  # of a curve over time
RIGHT = WIDTH - NAMES


def by_trials(view: View) -> Markup:
    """The unbiased estimator at 1 … N trials of each family."""
    curves: dict[str, list[Point]] = {}
    for family in view.families:
        best = expected_best(*_goodness(view, view.trials(family)))
        curves[family] = [(float(n), view.goodness(v)) for n, v in enumerate(best.tolist(), 1)]
    most = max(len(points) for points in curves.values())
    x = Scale(1, max(most, 2), LEFT + 4, RIGHT)
    ticks = [(t, f"{t:.0f}") for t in x.ticks(whole=True)]
    label = view.say("budget_trials_label")
    return _chart(view, curves, x, ticks, view.say("trials"), label, data_whole="")


def by_seconds(view: View) -> Markup:
    """The same for one worker's core-seconds, on a logarithmic axis."""
    curves: dict[str, list[Point]] = {}
    for family in view.families:
        trials = view.trials(family)
        cost = [core_seconds(view, trial) for trial in trials]
        shortest, total = max(min(cost), 1e-2), max(sum(cost), 1e-2)
        times = np.geomspace(shortest, total, POINTS) if len(trials) > 1 else np.array([total])
        values, floor = _goodness(view, trials)
        best = expected_best_by_seconds(values, cost, list(times), floor)
        points = [(float(t), float(v)) for t, v in zip(times, best, strict=True)]
        # Earlier than one trial's worth the mean is mostly the floor: there is no result yet.
        one = float(expected_best(values, floor)[0])
        shown = [p for p in points if p[1] >= one] or points[-1:]
        curves[family] = [(t, view.goodness(v)) for t, v in shown]
    ends = [p[0] for points in curves.values() for p in points]
    x = Scale(min(ends), max(*ends, min(ends) * 2), LEFT + 4, RIGHT, log=True)
    ticks = [(t, seconds_text(t)) for t in x.ticks()]
    label = view.say("budget_seconds_label")
    return _chart(view, curves, x, ticks, view.say("core_seconds"), label)


def by_fold(view: View) -> Markup:
    """Each selected configuration's score in every fold."""
    key, folds = view.selection.metric, list(view.study.folds)
    curves: dict[str, list[Point]] = {
        row.choice.family: [(float(n), v) for n, v in enumerate(row.choice.metrics[key])]
        for row in view.rows
    }
    x = Scale(0, max(len(folds) - 1, 1), LEFT + 14, RIGHT - 6)
    ticks = [(float(n), fold) for n, fold in enumerate(folds)]
    if len(folds) > 6:
        ticks = [(n, f"{n:.0f}") for n, _ in ticks]
    names = "|".join(name for _, name in ticks)
    chosen = {family: choice.trial for family, choice in view.selection.families.items()}
    return _chart(view, curves, x, ticks, "", view.say("folds_label"), chosen, data_names=names)


def under_the_other(view: View) -> str:
    """What equal seconds would have selected, or equal trials; empty where it can't be told."""
    found = other_budget(view.study, view.selection)
    return told(found, view.say, score, view.titles) if found else ""


def core_seconds(view: View, trial: TrialRow) -> float:
    """Fitting and evaluating, times the cores that a trial holds."""
    return (trial.fit_seconds + trial.evaluate_seconds) * view.cores()


def _chart(
    view: View,
    curves: dict[str, list[Point]],
    x: Scale,
    ticks: Sequence[tuple[float, str]],
    x_label: str,
    label: str,
    trials: Mapping[str, str] = MappingProxyType({}),
    **attributes: object,
) -> Markup:
    """A line a family; with trials they are these, and every point is marked."""
    values = [y for points in curves.values() for _, y in points]
    y = Scale(*nice_range(values), HEIGHT - BOTTOM, TOP)
    lines = [
        Line(
            view.marks[name],
            view.label(name),
            points,
            f"{view.label(name)} {score(points[-1][1])}",
            markers=bool(trials),
            trial=trials.get(name),
        )
        for name, points in curves.items()
    ]
    return line_chart(
        lines,
        x,
        y,
        HEIGHT,
        label=label,
        x_label=x_label,
        y_label=view.metric,
        x_ticks=ticks,
        **attributes,
    )


def _goodness(view: View, trials: Sequence[TrialRow]) -> tuple[list[float | None], float]:
    """Each trial's score with the sign that makes more better, and what a failed one counts as:
    0 of a metric that has no less, otherwise the family's worst.
    """
    found = [
        view.goodness(t.best.value) if t.best and t.state != "failed" else None for t in trials
    ]
    known = [value for value in found if value is not None]
    return found, min([0.0, *known])


def seconds_text(value: float) -> str:
    """`250`, `5k`: short enough for an axis."""
    if value < 1:
        return f"{value:.2g}"
    power = math.floor(math.log10(value) / 3)
    return f"{value / 1000**power:g}{('', 'k', 'M', 'G')[min(power, 3)]}"
