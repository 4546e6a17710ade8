"""Learning curves: every trial of a family, and where it was stopped."""

from collections.abc import Mapping

from markupsafe import Markup

from recsweep.records.study import TrialRow
from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, nice_range, path, tag
from recsweep.reporting.view import View, score

HEIGHT = 210.0
RIGHT = 14.0


def learning_curves(view: View) -> Mapping[str, Markup]:
    """One panel for each family that trains in epochs; all share one scale of the score."""
    longest = {f: max(len(t.epochs) for t in view.trials(f)) for f in view.families}
    shown = [family for family in view.families if longest[family] > 1]
    values = [
        row.value for family in shown for trial in view.trials(family) for row in trial.epochs
    ]
    if not values:
        return {}
    y = Scale(*nice_range([*values, view.rows[0].mean]), HEIGHT - BOTTOM, TOP)
    x = Scale(1, max(longest[family] for family in shown), LEFT + 8, WIDTH - RIGHT)
    return {family: _panel(view, family, x, y) for family in shown}


def _panel(view: View, family: str, x: Scale, y: Scale) -> Markup:
    trials = view.trials(family)
    chosen = view.selection.families[family].trial
    few = range(1, int(x.high) + 1) if x.high <= 10 else x.ticks(6)
    ticks = [(float(t), f"{t:.0f}") for t in few if t == int(t) and t >= 1]
    parts = axes(x, y, HEIGHT, view.say("epoch"), "", ticks, RIGHT)
    parts.append(_leader(view, family, y))
    ordered = sorted(trials, key=lambda t: t.id == chosen)  # the selected one on top
    parts += [_trial(view, trial, x, y, trial.id == chosen) for trial in ordered if trial.epochs]
    label = view.say("curves_label", family=family, n=len(trials))
    return figure(HEIGHT, label, *parts)


def _leader(view: View, family: str, y: Scale) -> Markup:
    leader = view.rows[0]
    if leader.choice.family == family:
        return Markup("")
    level, text = y(leader.mean), f"{leader.choice.family} {score(leader.mean)}"
    return tag(
        "g",
        tag("path", d=f"M{LEFT:.0f} {level:.1f}H{WIDTH - RIGHT:.0f}", class_="level"),
        tag("text", text, x=LEFT + 4, y=level - 4, class_="tick halo"),
    )


def _trial(view: View, trial: TrialRow, x: Scale, y: Scale, chosen: bool) -> Markup:
    points = [(x(row.epoch), y(row.value)) for row in trial.epochs]
    mark = view.marks[trial.family]
    kind = "chosen" if chosen else "default" if trial.number == 0 else trial.state
    parts = [
        tag("title", view.describe(trial)),
        tag("path", d=path(points), class_="hit"),
        tag("path", d=path(points), class_=f"trial {kind} {mark.colour}"),
    ]
    end_x, end_y = points[-1]
    if trial.state == "pruned":
        parts.append(_cross(end_x, end_y))
    elif trial.state == "failed":
        parts.append(tag("circle", cx=end_x, cy=end_y, r=3.2, class_="broken"))
    if chosen and trial.best:
        best_x, best_y = x(trial.best.epoch), y(trial.best.value)
        anchor = "end" if best_x > WIDTH * 0.6 else "start"
        parts.append(mark.at(best_x, best_y, 5.0))
        parts.append(
            tag("text", score(trial.best.value), x=best_x, y=best_y - 9, class_=f"value {anchor}")
        )
    return tag("g", *parts, class_="series")


def _cross(x: float, y: float, size: float = 2.6) -> Markup:
    arms = "".join(
        f"M{x - size:.1f} {y - s * size:.1f}L{x + size:.1f} {y + s * size:.1f}" for s in (1, -1)
    )
    return tag("path", d=arms, class_="stop")
