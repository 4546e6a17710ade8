"""Parallel coordinates of a family's trials; axes lie one below the other, to fit a phone."""

from markupsafe import Markup

from recsweep.records.study import TrialRow
from recsweep.reporting.charts.lines import of_trial
from recsweep.reporting.charts.svg import WIDTH, Point, Scale, figure, path, tag
from recsweep.reporting.view import View, score, setting, short
from recsweep.spaces.parameter import Parameter

INSET, ROW, TOP = 12.0, 42.0, 22.0
BEST_SHARE = 0.1  # of the trials, drawn in colour


def parallel(view: View, family: str) -> Markup | None:
    """One line a trial, from its score down through its parameters; None if nothing varies."""
    axes = list(view.study.spaces[family].parameters.values())
    trials = [trial for trial in view.trials(family) if trial.best]
    if not axes or not trials:
        return None
    values = [trial.best.value for trial in trials if trial.best]
    x = Scale(min(values), max(values), INSET, WIDTH - INSET)
    chosen = next(t for t in trials if t.id == view.selection.families[family].trial)
    best_first = sorted(map(view.goodness, values), reverse=True)
    cut = best_first[max(1, round(len(values) * BEST_SHARE)) - 1]
    parts = [_rule(_level(row)) for row in range(len(axes) + 1)]
    for trial in sorted(trials, key=lambda t: (t is chosen, _goodness(view, t))):
        good = _goodness(view, trial) >= cut
        kind = "chosen" if trial is chosen else "good" if good else trial.state
        parts.append(_trial(view, trial, axes, x, kind))
    words = [*_score_words(view, x, chosen)]
    for row, axis in enumerate(axes, 1):
        words += _axis_words(axis, row, chosen)
    parts.append(tag("g", *words, class_="words"))
    height = TOP + ROW * len(axes) + 26
    label = view.say("parallel_label", family=view.label(family), n=len(trials))
    return figure(height, label, *parts, class_="chart")


def _goodness(view: View, trial: TrialRow) -> float:
    assert trial.best is not None  # only such trials are drawn
    return view.goodness(trial.best.value)


def _level(row: int) -> float:
    return TOP + ROW * row


def _trial(view: View, trial: TrialRow, axes: list[Parameter], x: Scale, kind: str) -> Markup:
    assert trial.best is not None
    points: list[Point | None] = [(x(trial.best.value), _level(0))]
    span = WIDTH - 2 * INSET
    for row, axis in enumerate(axes, 1):
        value = trial.config.get(axis.name)
        there = None if value is None else (INSET + span * axis.position(value), _level(row))
        points.append(there)
    d, mark = path(points), view.marks[trial.family]
    parts = [tag("path", d=d, class_=f"trial {kind} {mark.colour}")]
    if kind == "chosen":
        known = [point for point in points if point]
        parts.insert(0, tag("path", d=path(known), class_=f"bridge {mark.colour}"))
        parts += [mark.at(*point, 4.5) for point in known]
    return of_trial(trial, mark, *parts)


def _score_words(view: View, x: Scale, chosen: TrialRow) -> list[Markup]:
    assert chosen.best is not None
    y = _level(0)
    return [
        tag("text", view.metric, x=INSET, y=y - 8, class_="name"),
        tag("text", score(chosen.best.value), x=WIDTH - INSET, y=y - 8, class_="value end"),
        tag("text", score(x.low), x=INSET, y=y + 12, class_="tick"),
        tag("text", score(x.high), x=WIDTH - INSET, y=y + 12, class_="tick end"),
    ]


def _axis_words(axis: Parameter, row: int, chosen: TrialRow) -> list[Markup]:
    y, value = _level(row), chosen.config.get(axis.name)
    parts = [tag("text", short(axis.name, 32), x=INSET, y=y - 7, class_="name")]
    if value is not None:
        parts.append(
            tag("text", short(setting(value), 26), x=WIDTH - INSET, y=y - 7, class_="value end")
        )
    ends = axis.choices or (axis.low, axis.high)
    for n, end in enumerate(ends):
        place = INSET + (WIDTH - 2 * INSET) * n / (len(ends) - 1)
        anchor = "" if n == 0 else " end" if n == len(ends) - 1 else " middle"
        text = short(setting(end), 48 // len(ends))
        parts.append(tag("text", text, x=place, y=y + 12, class_=f"tick{anchor}"))
    return parts


def _rule(y: float) -> Markup:
    return tag("path", d=f"M{INSET:.0f} {y:.1f}H{WIDTH - INSET:.0f}", class_="axis")
