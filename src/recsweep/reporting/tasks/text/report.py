"""The task `text`: each label's quality, calibration, and what duplicates would have added."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.charts.reliability import highest, reliability_diagram
from recsweep.reporting.html import template
from recsweep.reporting.sections.verdicts import ranking
from recsweep.reporting.tasks.registry import Say, TaskReport, listed
from recsweep.reporting.view import View, score
from recsweep.reporting.words import load_words
from recsweep.tasks.text.details import LabelQuality, TextDetails

QUALITIES = ("precision", "recall", "f1", "support")


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """One family's cells under some columns."""

    index: int
    family: str
    swatch: Markup
    cells: list[str]


def _notes(view: View) -> list[str]:
    experiment = view.study.experiment
    return [
        view.say("protocol_distinct_time" if experiment.folds.in_time else "protocol_distinct"),
        view.say("protocol_texts"),
        *([view.say("protocol_vectors")] if experiment.data.word_vectors else []),
    ]


def _section(view: View, sealed: Confirmation) -> Markup:
    found = {
        name: TextDetails.model_validate(sealed.families[name].details["text"])
        for name in ranking(sealed)
        if "text" in sealed.families[name].details
    }
    if not found:
        return Markup()
    first = next(iter(found.values()))
    top = highest(details.reliability for details in found.values())
    page = template("section.html.j2", "recsweep.reporting.tasks.text")
    return Markup(
        page.render(
            say=view.say,
            columns=[f"{label}: {view.say(q)}" for label in first.labels for q in QUALITIES],
            rows=[
                _row(view, name, [c for q in details.labels.values() for c in _cells(q)])
                for name, details in found.items()
            ],
            diagrams=[
                (_row(view, name, []), reliability_diagram(view, name, details.reliability, top))
                for name, details in found.items()
            ],
            duplicates=first.duplicates,
            copies=_copies(view, sealed, found),
        )
    )


def _row(view: View, name: str, cells: list[str]) -> FamilyRow:
    mark = view.marks[name]
    return FamilyRow(mark.index, view.label(name), mark.swatch(), cells)


def _cells(quality: LabelQuality) -> list[str]:
    shares = (quality.precision, quality.recall, quality.f1)
    return [*(f"{share:.3f}" for share in shares), f"{quality.support:,}"]


def _copies(
    view: View, sealed: Confirmation, found: Mapping[str, TextDetails]
) -> tuple[list[str], list[FamilyRow]]:
    """Every metric as it is and with the copies left in."""
    metrics = next(iter(found.values())).duplicates
    names = list(metrics.metrics) if metrics else []
    columns = [
        view.say(key, metric=view.term(written(name)))
        for name in names
        for key in ("without_duplicates", "with_duplicates")
    ]
    rows = []
    for family, details in found.items():
        if details.duplicates is not None:
            with_copies = details.duplicates.metrics
            known = sealed.families[family].metrics
            cells = [c for n in names for c in (score(known[n].mean), score(with_copies[n]))]
            rows.append(_row(view, family, cells))
    return columns, rows


def _plainly(say: Say, sealed: Confirmation, asked: Mapping[str, str]) -> str:
    """How many of a hundred texts get the right label."""
    if any("accuracy" not in sealed.families[name].metrics for name in asked):
        return ""
    right = {n: f"{100 * sealed.families[n].metrics['accuracy'].mean:.0f}" for n in asked}
    (first, title), *rivals = asked.items()
    if not rivals:
        return ""
    others = [say("plainly_other", a=called, right=right[name]) for name, called in rivals]
    return say("plainly", a=title, right=right[first], others=listed(say, others))


REPORT = TaskReport(
    means="log loss and accuracy are means over texts; macro-F1 and ROC AUC are means over labels.",
    words=load_words(Path(__file__).with_name("words.yaml")),
    methods=("Each text counts once; one that bears two labels was left out.",),
    notes=_notes,
    plainly=_plainly,
    section=_section,
)
