"""The task `purchase`: what probabilities promise against what happened, and decisions on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.evaluation.probability import Bin
from recsweep.records.confirmation import Confirmation, ConfirmedFamily
from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, path, tag
from recsweep.reporting.html import template
from recsweep.reporting.sections.verdicts import ranking
from recsweep.reporting.tasks.registry import Say, TaskReport, listed
from recsweep.reporting.view import View
from recsweep.reporting.words import load_words
from recsweep.tasks.purchase.details import ANSWERS, PurchaseDetails
from recsweep.tasks.purchase.settings import Purchase

HEIGHT = 230.0
RIGHT = 14.0


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One family's answers at its threshold."""

    index: int
    family: str
    swatch: Markup
    cells: list[str]  # as `_columns`


def _notes(view: View) -> list[str]:
    experiment = view.study.experiment
    notes = [view.say("protocol_probability", calibration=experiment.metric.calibration)]
    if experiment.data.sessions is None:
        rule = experiment.settings_of(Purchase)
        looks, days = ", ".join(rule.exposures), f"{rule.window_days:g}"
        notes.insert(0, view.say("protocol_examples", exposures=looks, days=days))
        notes.insert(0, view.say("protocol_history"))
    return notes


def _section(view: View, sealed: Confirmation) -> Markup:
    found = {
        name: PurchaseDetails.model_validate(sealed.families[name].details["purchase"])
        for name in ranking(sealed)
        if "purchase" in sealed.families[name].details
    }
    if not found:
        return Markup()
    bins = [b for details in found.values() for b in details.reliability]
    top = max((max(b.predicted, b.bought) for b in bins), default=1.0)
    rows = [
        (
            _row(view, name, sealed.families[name], details),
            reliability_diagram(view, name, details.reliability, top),
        )
        for name, details in found.items()
    ]
    page = template("section.html.j2", "recsweep.reporting.tasks.purchase")
    columns = _columns(view, sealed.families[next(iter(found))])
    return Markup(page.render(say=view.say, rows=rows, columns=columns))


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


def _columns(view: View, result: ConfirmedFamily) -> list[str]:
    """Threshold, precision and recall of both answers, then the top tenth."""
    qualities = [view.say(q) for q in ("precision", "recall", "f1", "support")]
    return [
        view.say("threshold"),
        *(f"{view.term(answer)}: {q}" for answer in reversed(ANSWERS) for q in qualities),
        *(view.term(written(name)) for name in _top(result)),
    ]


def _top(result: ConfirmedFamily) -> list[str]:
    return [n for n in ("lift", "expected_revenue", "revenue") if n in result.metrics]


def _row(view: View, family: str, result: ConfirmedFamily, details: PurchaseDetails) -> DecisionRow:
    mark, cells = view.marks[family], [f"{details.threshold:.3f}"]
    for answer in reversed(ANSWERS):
        q = details.answers[answer]
        cells += [f"{v:.3f}" for v in (q.precision, q.recall, q.f1)] + [f"{q.support:,}"]
    cells += [f"{result.metrics[name].mean:.2f}" for name in _top(result)]
    return DecisionRow(mark.index, view.label(family), mark.swatch(), cells)


def _plainly(say: Say, sealed: Confirmation, asked: Mapping[str, str]) -> str:
    """How many of the most promising tenth are bought: the lift there times the share of all."""
    bought = sealed.window.get("purchases", 0) / sealed.targets
    if not bought or any("lift" not in sealed.families[name].metrics for name in asked):
        return ""
    shares = {n: f"{sealed.families[n].metrics['lift'].mean * bought:.0%}" for n in asked}
    (first, title), *rivals = asked.items()
    others = [say("plainly_other", a=called, share=shares[name]) for name, called in rivals]
    values = {"share": shares[first], "all": f"{bought:.0%}"}
    return say("plainly", a=title, others=listed(say, others), **values)


REPORT = TaskReport(
    means="log loss, Brier score and the areas are over all examples; thresholds and "
    "calibrators are cross-fitted over {unit}.",
    words=load_words(Path(__file__).with_name("words.yaml")),
    notes=_notes,
    plainly=_plainly,
    section=_section,
)
