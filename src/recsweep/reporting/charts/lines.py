"""A line chart with a label at the end of each line, and its axes."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from recsweep.records.study import TrialRow
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.svg import WIDTH, Point, Scale, figure, path, spread, tag
from recsweep.reporting.view import short

LEFT, TOP, BOTTOM = 42.0, 14.0, 34.0
NAMES = 114.0  # room for the labels at the right
LABEL_GAP = 12.5


@dataclass(frozen=True, slots=True)
class Line:
    """One family's line, in the units of the axes."""

    mark: Mark
    name: str
    points: Sequence[Point]  # ordered by x; one alone is drawn as a level to compare with
    title: str
    markers: bool = False
    trial: str | None = None  # that it is of


def line_chart(
    lines: Sequence[Line],
    x: Scale,
    y: Scale,
    height: float,
    *,
    label: str,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[tuple[float, str]],
    **attributes: object,
) -> Markup:
    """Lines over common axes; `x` and `y` already end in the figure's units."""
    labels = spread(
        [y(line.points[-1][1]) for line in lines], LABEL_GAP, TOP + 2, height - BOTTOM + 4
    )
    drawn = [_line(line, x, y, position) for line, position in zip(lines, labels, strict=True)]
    drawn.insert(0, axes(x, y, height, x_label, y_label, x_ticks, right=NAMES))
    return chart(height, label, x, y, *drawn, **attributes)


def chart(
    height: float, label: str, x: Scale, y: Scale, *children: str, **attributes: object
) -> Markup:
    """A figure that follows its filters: its script moves what stands in `.series`."""
    scales = {"data_x": x.written(), "data_y": y.written()}
    return figure(height, label, *children, class_="chart", **scales, **attributes)


def of_trial(trial: TrialRow, mark: Mark, *parts: str) -> Markup:
    """What a chart shows of a trial, under the names by which the page's script finds it."""
    names = {"data_family": mark.index, "data_trial": trial.id}
    return tag("g", *parts, class_="series", **names)


def axes(
    x: Scale,
    y: Scale,
    height: float,
    x_label: str,
    y_label: str,
    x_ticks: Sequence[tuple[float, str]],
    right: float = 8.0,
) -> Markup:
    """Light horizontal rules, numbers at the left and below."""
    out = []
    decimals = decimals_of(y.ticks())
    for value in y.ticks():
        out.append(tag("path", d=f"M{LEFT:.0f} {y(value):.1f}H{WIDTH - right:.0f}", class_="rule"))
        out.append(
            tag("text", f"{value:.{decimals}f}", x=LEFT - 5, y=y(value) + 3.5, class_="tick end")
        )
    for value, text in x_ticks:
        out.append(tag("text", text, x=x(value), y=height - BOTTOM + 15, class_="tick middle"))
    middle = (LEFT + WIDTH - right) / 2
    out.append(tag("text", x_label, x=middle, y=height - 4, class_="tick middle across"))
    if y_label:
        out.append(tag("text", y_label, x=0.0, y=9.0, class_="tick upwards"))
    return tag("g", *out, class_="axes")


def decimals_of(ticks: Sequence[float]) -> int:
    """Enough decimals to tell ticks apart."""
    return next(
        (d for d in range(5) if all(abs(round(t, d) - t) < 1e-9 * max(1, abs(t)) for t in ticks)), 5
    )


def _line(line: Line, x: Scale, y: Scale, label_y: float) -> Markup:
    points = [(x(a), y(b)) for a, b in line.points]
    edge = WIDTH - NAMES
    parts = [tag("title", line.title)]
    last_x, last_y = points[-1]
    if not line.markers:
        # What was found stays found; nothing more was spent.
        level = [(last_x, last_y), (edge, last_y)]
        parts.append(tag("path", d=path(level), class_=f"level onward {line.mark.colour}"))
    if len(points) > 1:
        classes = f"line {line.mark.colour}"
        parts.append(tag("path", d=path(points), class_="hit"))
        parts.append(tag("path", d=path(points), class_=classes, stroke_dasharray=line.mark.dash))
    parts += [line.mark.at(a, b) for a, b in (points if line.markers else points[-1:])]
    lead = [(edge + 2, last_y), (edge + 6, label_y), (edge + 9, label_y)]
    parts.append(tag("path", d=path(lead), class_="lead"))
    parts.append(tag("text", short(line.name), x=edge + 11, y=label_y + 3.5, class_="name"))
    exact = " ".join(f"{a:.7g},{b:.7g}" for a, b in line.points)
    return tag(
        "g",
        *parts,
        class_="series",
        data_family=line.mark.index,
        data_points=exact,
        data_trial=line.trial,
    )
