"""The task `purchase`: what probabilities promise against what happened, and decisions on them."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from recsweep.records.confirmation import ConfirmationSummary, FamilyResult
from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, path, tag
from recsweep.reporting.leaderboard import show_metric
from recsweep.reporting.sections.verdicts import ranking
from recsweep.reporting.view import View

HEIGHT = 230.0
RIGHT = 14.0


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One family's answers at its threshold."""

    index: int
    family: str
    swatch: Markup
    cells: list[str]  # as `decision_columns`


def purchase_section(view: View, sealed: ConfirmationSummary) -> dict[str, Any]:
    """What the template shows of it; nothing for another task."""
    results = {r.family: r for r in sealed.families}
    ordered = [results[name] for name in ranking(sealed) if results[name].purchase is not None]
    top = max(
        (max(b.predicted, b.bought) for r in ordered if r.purchase for b in r.purchase.reliability),
        default=1.0,
    )
    best = ""
    if sealed.best_possible is not None:
        best = view.say("best_possible", value=f"{sealed.best_possible:.4f}", metric=view.metric)
    return {
        "reliabilities": {r.family: reliability_diagram(view, r, top) for r in ordered},
        "decision_columns": decision_columns(view, ordered),
        "decision_rows": [_row(view, r) for r in ordered],
        "best_possible": best,
    }


def reliability_diagram(view: View, result: FamilyResult, top: float) -> Markup:
    """A bin is a mark: what was promised to the right, what happened upwards; the diagonal is
    honest.
    """
    assert result.purchase is not None
    mark, bins = view.marks[result.family], result.purchase.reliability
    x = Scale(0.0, top, LEFT + 4, WIDTH - RIGHT)
    y = Scale(0.0, top, HEIGHT - BOTTOM, TOP)
    ticks = [(t, f"{t:g}") for t in x.ticks(5)]
    points = [(x(b.predicted), y(b.bought)) for b in bins]
    parts = axes(x, y, HEIGHT, view.say("promised"), view.say("happened"), ticks, RIGHT)
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
    return figure(HEIGHT, view.say("reliability_label", family=result.family), *parts)


def decision_columns(view: View, results: list[FamilyResult]) -> list[str]:
    """Threshold, precision and recall of both answers, then the top tenth."""
    if not results:
        return []
    answers = [view.term("purchase"), view.term("no purchase")]
    qualities = [view.say(q) for q in ("precision", "recall", "f1", "support")]
    both = [f"{answer}: {quality}" for answer in answers for quality in qualities]
    return [
        view.say("threshold"),
        *both,
        *(view.term(show_metric(name)) for name in _top(results[0])),
    ]


def _top(result: FamilyResult) -> list[str]:
    return [n for n in ("lift", "expected_revenue", "revenue") if n in result.metrics]


def _row(view: View, result: FamilyResult) -> DecisionRow:
    details, mark = result.purchase, view.marks[result.family]
    assert details is not None
    cells = [f"{details.threshold:.3f}"]
    for answer in ("purchase", "no purchase"):
        q = details.answers[answer]
        cells += [f"{v:.3f}" for v in (q.precision, q.recall, q.f1)] + [f"{q.support:,}"]
    cells += [f"{result.metrics[name].mean:.2f}" for name in _top(result)]
    return DecisionRow(mark.index, result.family, mark.swatch(), cells)
