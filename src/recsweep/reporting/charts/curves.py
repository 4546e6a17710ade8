"""Learning curves: every trial of a family, and where it was stopped."""

from collections.abc import Mapping

from markupsafe import Markup

from recsweep.records.study import TrialRow
from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes, chart, of_trial
from recsweep.reporting.charts.marks import arms
from recsweep.reporting.charts.svg import WIDTH, Scale, nice_range, path, place, tag
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
    ticks = [(t, f"{t:.0f}") for t in x.ticks(whole=True)]
    parts = [axes(x, y, HEIGHT, view.say("epoch"), "", ticks, RIGHT), _leader(view, family, y)]
    ordered = sorted(trials, key=lambda t: t.id == chosen)  # the selected one on top
    parts += [_trial(view, trial, x, y, trial.id == chosen) for trial in ordered if trial.epochs]
    label = view.say("curves_label", family=view.label(family), n=len(trials))
    return chart(HEIGHT, label, x, y, *parts, data_share="curves", data_whole="")


def _leader(view: View, family: str, y: Scale) -> Markup:
    leader = view.rows[0]
    if leader.choice.family == family:
        return Markup("")
    # Nobody is better: on that side of the level there is room for its name.
    beyond = 12 if view.lower_is_better else -4
    level, text = y(leader.mean), f"{view.label(leader.choice.family)} {score(leader.mean)}"
    return tag(
        "g",
        tag("path", d=f"M{LEFT:.0f} 0H{WIDTH - RIGHT:.0f}", class_="level"),
        tag("text", text, x=LEFT + 4, y=beyond, class_="tick halo"),
        class_="leader",
        data_family=view.marks[leader.choice.family].index,
        transform=place(0, level),
    )


def _trial(view: View, trial: TrialRow, x: Scale, y: Scale, chosen: bool) -> Markup:
    points = [(x(row.epoch), y(row.value)) for row in trial.epochs]
    mark = view.marks[trial.family]
    kind = "chosen" if chosen else "default" if trial.number == 0 else trial.state
    parts = [tag("path", d=path(points), class_=f"trial {kind} {mark.colour}")]
    end = place(*points[-1])
    if trial.state == "pruned":
        parts.append(tag("path", d=arms(2.6), class_="stop", transform=end))
    elif trial.state == "failed":
        parts.append(tag("circle", r=3.2, class_="broken", transform=end))
    if chosen and trial.best:
        best_x, best_y = x(trial.best.epoch), y(trial.best.value)
        anchor = "end" if best_x > WIDTH * 0.6 else "start"
        beneath = trial.family != view.rows[0].choice.family and not view.lower_is_better
        y_of_text = 19 if beneath else -9
        text = tag("text", score(trial.best.value), y=y_of_text, class_=f"value {anchor}")
        parts.append(tag("g", mark.at(0, 0, 5.0), text, transform=place(best_x, best_y)))
    return of_trial(trial, mark, *parts)
