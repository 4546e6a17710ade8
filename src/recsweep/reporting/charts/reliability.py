"""Predicted probabilities against what happened."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from recsweep.evaluation.probability import Bin
from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, path, tag
from recsweep.reporting.view import View

HEIGHT = 230.0
RIGHT = 14.0


def highest(found: Iterable[Sequence[Bin]]) -> float:
    """Where the axes of several families' diagrams end."""
    bins = [each for bins in found for each in bins]
    return max((max(b.predicted, b.bought) for b in bins), default=1.0)


def reliability_diagram(view: View, family: str, bins: Sequence[Bin], top: float) -> Markup:
    """A bin is a mark: what was promised to the right, what happened upwards; the diagonal is
    honest.
    """
    mark = view.marks[family]
    x = Scale(0.0, top, LEFT + 4, WIDTH - RIGHT)
    y = Scale(0.0, top, HEIGHT - BOTTOM, TOP)
    ticks = [(t, f"{t:g}") for t in x.ticks()]
    points = [(x(b.predicted), y(b.bought)) for b in bins]
    parts = [axes(x, y, HEIGHT, view.say("promised"), view.say("happened"), ticks, RIGHT)]
    parts.append(tag("path", d=path([(x(0.0), y(0.0)), (x(top), y(top))]), class_="level"))
    drawn = [tag("path", d=path(points), class_=f"line {mark.colour}")] if len(points) > 1 else []
    for b, (across, up) in zip(bins, points, strict=True):
        title = view.say(
            "reliability_bin",
            promised=f"{b.predicted:.3f}",
            happened=f"{b.bought:.3f}",
            n=f"{b.examples:,}",
        )
        drawn.append(tag("g", tag("title", title), mark.at(across, up, 4.2)))
    parts.append(tag("g", *drawn, class_="series", data_family=mark.index))
    return figure(HEIGHT, view.say("reliability_label", family=view.titles[family]), *parts)
