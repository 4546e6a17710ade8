"""A parameter against the score, a mark a trial; the page's script changes the parameter."""

from markupsafe import Markup

from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes, chart
from recsweep.reporting.charts.scatter import trial_mark
from recsweep.reporting.charts.svg import WIDTH, Scale, nice_range
from recsweep.reporting.view import View, setting, short
from recsweep.spaces.parameter import Parameter

HEIGHT = 210.0
RIGHT = 14.0


def by_parameter(view: View, family: str, axis: Parameter) -> Markup | None:
    """Trials that have the parameter and a score; None where nobody has both."""
    trials = [t for t in view.trials(family) if t.best and axis.name in t.config]
    values = [t.best.value for t in trials if t.best]
    if not values:
        return None
    x, ticks = _scale(axis)
    y = Scale(*nice_range(values), HEIGHT - BOTTOM, TOP)
    parts = [axes(x, y, HEIGHT, axis.name, view.metric, ticks, RIGHT)]
    for trial in trials:
        across = x.start + axis.position(trial.config[axis.name]) * (x.end - x.start)
        parts.append(trial_mark(view, trial, (across, y(trial.best.value if trial.best else 0.0))))
    names = "|".join(map(str, axis.choices)) if axis.choices else None
    label = view.say("by_parameter_label", family=view.label(family))
    return chart(HEIGHT, label, x, y, *parts, data_fixed="", data_names=names)


def _scale(axis: Parameter) -> tuple[Scale, list[tuple[float, str]]]:
    """Of a range, or of a choice's places from 0; with its ticks."""
    if axis.choices:
        x = Scale(0, len(axis.choices) - 1, LEFT + 36, WIDTH - RIGHT - 28)
        return x, [(float(n), short(setting(c), 14)) for n, c in enumerate(axis.choices)]
    x = Scale(axis.low, axis.high, LEFT + 8, WIDTH - RIGHT, log=axis.log)
    return x, [(t, f"{t:g}") for t in x.ticks(whole=axis.int is not None and not axis.log)]
