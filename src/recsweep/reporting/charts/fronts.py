"""Each family's front: the best score of a complete trial that costs no more than so much."""

from markupsafe import Markup

from recsweep.config.schema import Cost
from recsweep.evaluation.front import front
from recsweep.records.costs import COSTS, cost_of, energy_of
from recsweep.records.study import TrialRow
from recsweep.reporting.charts.lines import BOTTOM, LEFT, NAMES, TOP, Line, line_chart
from recsweep.reporting.charts.svg import WIDTH, Scale, nice_range
from recsweep.reporting.sections.budgets import seconds_text
from recsweep.reporting.view import View, score

HEIGHT = 230.0


def fronts(view: View) -> dict[Cost, Markup]:
    """A chart for every cost that each family's trials have on record."""
    drawn = {cost: _chart(view, cost) for cost in COSTS}
    return {cost: chart for cost, chart in drawn.items() if chart is not None}


def _chart(view: View, cost: Cost) -> Markup | None:
    curves = {family: _front(view, family, cost) for family in view.families}
    points = [point for curve in curves.values() for point in curve]
    if not all(curves.values()) or len({x for x, _ in points}) < 2:
        return None
    ends = [x for x, _ in points]
    x = Scale(min(ends), max(ends), LEFT + 8, WIDTH - NAMES - 6, log=True)
    y = Scale(*nice_range([value for _, value in points]), HEIGHT - BOTTOM, TOP)
    lines = [
        Line(
            view.marks[family],
            view.label(family),
            curve,
            f"{view.label(family)} {score(curve[-1][1])}",
            markers=True,
        )
        for family, curve in curves.items()
    ]
    name = cost_name(view, cost)
    return line_chart(
        lines,
        x,
        y,
        HEIGHT,
        label=view.say("front_label", cost=name),
        x_label=name,
        y_label=view.metric,
        x_ticks=[(t, seconds_text(t)) for t in x.ticks()],
    )


def cost_name(view: View, cost: Cost) -> str:
    """As people read it; energy that no counter told is called an estimate."""
    estimated = cost == "kwh" and energy_of(view.study.trials)[1] > 0
    return view.say(f"cost_{cost}") + (view.say("cost_estimated") if estimated else "")


def _front(view: View, family: str, cost: Cost) -> list[tuple[float, float]]:
    """(cost, score) from the cheapest on; what costs nothing has no place on a log scale."""
    trials = [(cost_of(t, cost), t) for t in view.trials(family) if t.state == "complete"]
    known = [(found or 1.0, t) for found, t in trials if found is not None]
    at = front([found for found, _ in known], [view.goodness(_value(t)) for _, t in known])
    unit = 1000 if cost == "kwh" else 1  # one trial's are few, so they are told in watt-hours
    return [(unit * known[n][0], _value(known[n][1])) for n in at]


def _value(trial: TrialRow) -> float:
    assert trial.value is not None  # it is complete
    return trial.value
