"""Cost against quality: each trial's core-seconds and score."""

from collections.abc import Sequence

from markupsafe import Markup

from recsweep.records.study import TrialRow
from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes, chart, of_trial
from recsweep.reporting.charts.svg import WIDTH, Point, Scale, nice_range, place, tag
from recsweep.reporting.sections.budgets import core_seconds, seconds_text
from recsweep.reporting.view import View, short

Box = tuple[float, float, float, float]

HEIGHT = 300.0
RIGHT = 14.0
LETTER = 6.0  # width of a letter, on average


def cost_and_quality(view: View) -> Markup:
    """Small marks are trials, large ones with a name the selected."""
    trials = [t for t in view.study.trials if t.best and t.state != "failed"]
    costs = [max(core_seconds(view, t), 1e-2) for t in trials]
    x = Scale(min(costs), max(costs), LEFT + 8, WIDTH - RIGHT, log=True)
    y = Scale(*nice_range([t.best.value for t in trials if t.best]), HEIGHT - BOTTOM, TOP)
    ticks = [(value, seconds_text(value)) for value in x.ticks()]
    parts = [axes(x, y, HEIGHT, view.say("core_seconds_trial"), view.metric, ticks, RIGHT)]
    chosen = {choice.trial for choice in view.selection.families.values()}
    small = [t for t in trials if t.id not in chosen]
    large = [t for t in trials if t.id in chosen]
    parts += [_trial(view, t, x, y) for t in small]
    marks = [_at(view, t, x, y) for t in large]
    places = place_names(marks, [len(short(view.label(t.family))) * LETTER for t in large])
    parts += [
        _chosen(view, t, at, place) for t, at, place in zip(large, marks, places, strict=True)
    ]
    return chart(HEIGHT, view.say("cost_label"), x, y, *parts)


def _value(trial: TrialRow) -> float:
    return trial.best.value if trial.best else 0.0


def _at(view: View, trial: TrialRow, x: Scale, y: Scale) -> Point:
    return x(max(core_seconds(view, trial), 1e-2)), y(_value(trial))


def _trial(view: View, trial: TrialRow, x: Scale, y: Scale) -> Markup:
    return trial_mark(view, trial, _at(view, trial, x, y))


def trial_mark(view: View, trial: TrialRow, at: Point) -> Markup:
    """A small marker, hollow where the trial is not complete."""
    mark = view.marks[trial.family]
    style = "mark faint" if trial.state == "complete" else "mark faint hollow"
    return of_trial(trial, mark, mark.at(*at, 2.8, style))


def _chosen(view: View, trial: TrialRow, at: Point, beside: Point) -> Markup:
    mark = view.marks[trial.family]
    name = {"x": beside[0] - at[0], "y": beside[1] - at[1] + 3.5, "class_": "name"}
    text = tag("text", short(view.label(trial.family)), **name)
    parts = tag("g", mark.at(0, 0, 5.2, "mark ringed"), text, transform=place(*at))
    return of_trial(trial, mark, parts)


def place_names(marks: Sequence[Point], widths: Sequence[float]) -> list[Point]:
    """Left end of each name: beside its mark where it hides no other mark or name, if possible."""
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in marks]
    out = []
    for (x, y), width in zip(marks, widths, strict=True):
        left, right, middle = x - 10 - width, x + 10, x - width / 2
        places = [(right, y), (left, y), (middle, y - 14), (middle, y + 15)]
        places += [(a, y + b) for a in (right, left) for b in (-12, 12)]
        boxes = [(a, b - 6, a + width, b + 6) for a, b in places]
        costs = [_overlap(box, taken) for box in boxes]
        best = costs.index(min(costs))
        taken.append(boxes[best])
        out.append(places[best])
    return out


def _overlap(box: Box, taken: Sequence[Box]) -> float:
    """Area that is hidden, with what lies outside of the figure counted many times."""
    outside = max(0.0, LEFT - box[0]) + max(0.0, box[2] - WIDTH) + max(0.0, TOP - box[1])
    hidden = 0.0
    for other in taken:
        wide = min(box[2], other[2]) - max(box[0], other[0])
        high = min(box[3], other[3]) - max(box[1], other[1])
        hidden += max(0.0, wide) * max(0.0, high)
    return hidden + 100 * outside
