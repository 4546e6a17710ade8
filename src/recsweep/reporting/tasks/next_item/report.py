"""The task `next_item`: which targets there are, and what they are ranked against."""

from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from recsweep.evaluation.propensity import POWER
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.html import template
from recsweep.reporting.sections.verdicts import ranking
from recsweep.reporting.tasks.registry import Say, TaskReport, listed
from recsweep.reporting.view import View, estimated
from recsweep.reporting.words import load_words


def _notes(view: View) -> list[str]:
    targets = view.study.experiment.targets
    notes = [
        view.say("protocol_history"),
        view.say("protocol_targets", which=view.say(f"which_{targets.which}")),
        view.say("protocol_catalogue", seen=view.say(f"seen_{targets.seen}")),
    ]
    if targets.candidates == "catalogue":
        notes.append(view.say("protocol_candidates"))
    return notes


def _section(view: View, sealed: Confirmation) -> Markup:
    """What the lists are like; a record from before these figures has none."""
    names = list(dict.fromkeys(n for f in sealed.families.values() for n in f.beyond))
    if not names:
        return Markup()
    rows = [
        (view.marks[name], view.label(name), [_figure(sealed, name, key) for key in names])
        for name in ranking(sealed)
    ]
    told = [key.partition("@")[0] for key in names]
    page = template("section.html.j2", "recsweep.reporting.tasks.next_item").render(
        say=view.say,
        k=names[0].partition("@")[2],
        level=f"{sealed.level:.0%}",
        columns=[view.say(f"beyond_{name}") for name in told],
        notes=[view.say(f"beyond_{name}_note") for name in told],
        rows=rows,
        corrected=_corrected(view, sealed),
        metric=view.metric,
        power=f"{POWER:g}",
    )
    return Markup(page)


def _corrected(view: View, sealed: Confirmation) -> list[tuple[Mark, str, str, str, int]]:
    """Each family's metric as it is and corrected for exposure, and its rank by the corrected."""
    key = sealed.metric
    found = {name: family.corrected.get(key) for name, family in sealed.families.items()}
    known = {name: value for name, value in found.items() if value is not None}
    by_corrected = sorted(known, key=lambda name: -known[name].mean)
    return [
        (
            view.marks[name],
            view.label(name),
            estimated(sealed.families[name].metrics[key]),
            estimated(known[name]),
            1 + by_corrected.index(name),
        )
        for name in ranking(sealed)
        if name in known
    ]


def _figure(sealed: Confirmation, family: str, key: str) -> str:
    found = sealed.families[family].beyond.get(key)
    return "" if found is None else estimated(found)


def _plainly(say: Say, sealed: Confirmation, asked: Mapping[str, str]) -> str:
    """How often the next course is in the list: recall, where there is one course to find."""
    k = sealed.metric.partition("@")[2]
    if any(f"recall@{k}" not in sealed.families[name].metrics for name in asked):
        return ""
    shares = {name: f"{sealed.families[name].metrics[f'recall@{k}'].mean:.1%}" for name in asked}
    (first, title), *rivals = asked.items()
    others = [say("plainly_other", a=called, share=shares[name]) for name, called in rivals]
    return say("plainly", a=title, k=k, share=shares[first], others=listed(say, others))


REPORT = TaskReport(
    means="the whole catalogue is ranked, ties count against the model, and a mean is over "
    "a learner's targets first and over learners then.",
    words=load_words(Path(__file__).with_name("words.yaml")),
    notes=_notes,
    section=_section,
    plainly=_plainly,
)
