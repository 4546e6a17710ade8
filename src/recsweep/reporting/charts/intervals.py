"""Small interval plots that stand in a table's cells, all of a column on one scale."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from recsweep.evaluation.verdict import Outcome, PairVerdict
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.svg import Scale, tag
from recsweep.reporting.leaderboard import Row
from recsweep.reporting.view import View

WIDTH, HEIGHT, INSET = 220.0, 24.0, 8.0
MIDDLE = HEIGHT / 2


def fold_scale(view: View) -> Scale:
    """Holds every selected configuration's score in every fold."""
    values = [v for row in view.rows for v in row.choice.metrics[view.selection.metric]]
    return Scale(min(values), max(values), INSET, WIDTH - INSET)


def fold_cell(row: Row, values: Sequence[float], mark: Mark, x: Scale) -> Markup:
    """Thin ticks are the folds, the marker is their mean."""
    ticks = "".join(f"M{x(value):.1f} {MIDDLE - 6}V{MIDDLE + 6}" for value in values)
    return _cell(
        tag("path", d=f"M{INSET} {MIDDLE}H{WIDTH - INSET}", class_="rule"),
        tag("path", d=f"M{x(min(values)):.1f} {MIDDLE}H{x(max(values)):.1f}", class_="span"),
        tag("path", d=ticks, class_=f"folds {mark.colour}"),
        mark.at(x(row.mean), MIDDLE, 4.6, "mark ringed"),
    )


def estimate_cell(mean: float, lower: float, upper: float, mark: Mark, x: Scale) -> Markup:
    """A mean and its interval."""
    return _cell(
        tag("path", d=f"M{INSET} {MIDDLE}H{WIDTH - INSET}", class_="rule"),
        tag("path", d=whisker(x(lower), x(upper)), class_=f"whisker {mark.colour}"),
        mark.at(x(mean), MIDDLE, 4.6, "mark ringed"),
    )


def verdict_scale(verdicts: Sequence[PairVerdict]) -> Scale:
    """Holds every verdict's interval and the equivalence margin."""
    bounds = [bound for v in verdicts for bound in (v.lower, v.upper)]
    return difference_scale([*bounds, *(v.smallest_effect for v in verdicts)])


def difference_scale(bounds: Sequence[float]) -> Scale:
    """Symmetric around 0, so that the middle of the cell is no difference."""
    widest = max(map(abs, bounds))
    return Scale(-widest, widest, INSET, WIDTH - INSET)


def verdict_cell(verdict: PairVerdict, x: Scale) -> Markup:
    """The difference with its simultaneous interval."""
    v = verdict
    return difference_cell((v.difference, v.lower, v.upper), v.outcome, v.smallest_effect, x)


def difference_cell(
    shown: tuple[float, float, float], outcome: Outcome, smallest_effect: float, x: Scale
) -> Markup:
    """A difference and its interval (middle, lower, upper); shaded: the equivalence margin."""
    middle, lower, upper = shown
    kind = outcome_class(outcome)
    left, right = x(-smallest_effect), x(smallest_effect)
    return _cell(
        tag("rect", x=left, y=1.0, width=right - left, height=HEIGHT - 2, class_="too-small"),
        tag("path", d=f"M{x(0):.1f} 0V{HEIGHT}", class_="zero"),
        tag("path", d=whisker(x(lower), x(upper)), class_=f"whisker {kind}"),
        tag("circle", cx=x(middle), cy=MIDDLE, r=4.4, class_=f"estimate {kind}"),
    )


def ends(scale: Scale, show: Callable[[float], str]) -> dict[str, str]:
    """What a column's head says of its scale."""
    return {"low": show(scale.low), "high": show(scale.high)}


def outcome_class(outcome: Outcome) -> str:
    """The class in the style sheet of what an outcome looks like."""
    return {"better": "won", "worse": "won", "equivalent": "same"}.get(outcome, "open")


def whisker(low: float, high: float, middle: float = MIDDLE) -> str:
    """The `d` of an interval."""
    ends = "".join(f"M{x:.1f} {middle - 4}v8" for x in (low, high))
    return f"M{low:.1f} {middle}H{high:.1f}{ends}"


def _cell(*parts: str) -> Markup:
    # The numbers stand in the next cell: a reader of the screen needs no picture.
    box = f"0 0 {WIDTH:.0f} {HEIGHT:.0f}"
    return tag("svg", *parts, viewBox=box, class_="cell", aria_hidden="true")
