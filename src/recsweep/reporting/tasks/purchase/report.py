"""The task `purchase`: what probabilities promise against what happened, and decisions on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.records.confirmation import Confirmation, ConfirmedFamily
from recsweep.reporting.charts.reliability import highest, reliability_diagram
from recsweep.reporting.html import template
from recsweep.reporting.sections.verdicts import ranking
from recsweep.reporting.tasks.registry import Say, TaskReport, listed
from recsweep.reporting.view import View
from recsweep.reporting.words import load_words
from recsweep.tasks.purchase.details import ANSWERS, PurchaseDetails
from recsweep.tasks.purchase.settings import Purchase


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
    top = highest(details.reliability for details in found.values())
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
