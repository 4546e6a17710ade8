"""The task `uplift`: whom treatment moves, whether anybody can tell, and whether it was random."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.models.families.uplift_floors import TREAT_ALL
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, nice_range, path, tag
from recsweep.reporting.html import template
from recsweep.reporting.sections.verdicts import ranking
from recsweep.reporting.tasks import purchase
from recsweep.reporting.tasks.registry import Say, TaskReport, listed
from recsweep.reporting.view import View, signed
from recsweep.reporting.words import load_words
from recsweep.tasks.uplift.details import Interval, UpliftDetails
from recsweep.tasks.uplift.settings import Uplift

HEIGHT = 230.0
RIGHT = 14.0
VALUE = "policy_value_dr"


def _notes(view: View) -> list[str]:
    experiment = view.study.experiment
    rule = experiment.settings_of(Uplift)
    given = all(treatment.propensity for treatment in experiment.data.treatments)
    notes = [
        view.say(
            "protocol_uplift",
            budget=f"{rule.budget:.0%}",
            propensity=view.say("propensity_given" if given else "propensity_share"),
        )
    ]
    if experiment.data.sessions is None:
        looks, days = ", ".join(rule.exposures), f"{rule.window_days:g}"
        notes.insert(0, view.say("protocol_examples", exposures=looks, days=days))
    return notes


def _details(sealed: Confirmation) -> dict[str, UpliftDetails]:
    """The best mean first."""
    return {
        name: UpliftDetails.model_validate(sealed.families[name].details["uplift"])
        for name in ranking(sealed)
        if "uplift" in sealed.families[name].details
    }


def _section(view: View, sealed: Confirmation) -> Markup:
    found = _details(sealed)
    if not found:
        return Markup()
    of_data = next(iter(found.values()))
    facts = [
        view.say("treatment_is", rate=f"{of_data.rate:.4f}", **_said(of_data.effect, "effect"))
    ]
    if of_data.assignment_auc is not None:
        facts.append(view.say("treatment_guessed", **_said(of_data.assignment_auc, "auc")))
    y = Scale(*nice_range([p for d in found.values() for p in d.curve]), HEIGHT - BOTTOM, TOP)
    rows = [
        (view.marks[name].index, view.marks[name].swatch(), view.label(name), curve)
        for name, curve in ((name, qini_curve(view, name, d, y)) for name, d in found.items())
    ]
    page = template("section.html.j2", "recsweep.reporting.tasks.uplift")
    return Markup(page.render(say=view.say, rows=rows, facts=facts))


def qini_curve(view: View, family: str, details: UpliftDetails, y: Scale) -> Markup:
    """The share treated to the right, what it brings upwards; dashed, a random order."""
    mark, x = view.marks[family], Scale(0.0, 1.0, LEFT + 4, WIDTH - RIGHT)
    shares = np.linspace(0, 1, len(details.curve)).tolist()
    points = [(x(a), y(b)) for a, b in zip(shares, details.curve, strict=True)]
    ticks = [(t, f"{t:.0%}") for t in x.ticks()]
    across, up = view.say("treated_first"), view.say("outcomes_more")
    drawn = [
        axes(x, y, HEIGHT, across, up, ticks, RIGHT),
        tag("path", d=path([points[0], points[-1]]), class_="level"),
        tag(
            "g",
            tag("path", d=path(points), class_=f"line {mark.colour}"),
            class_="series",
            data_family=mark.index,
        ),
    ]
    return figure(HEIGHT, view.say("qini_label", family=view.titles[family]), *drawn)


def _caveats(say: Say, sealed: Confirmation) -> list[str]:
    told, found = list[str](), list(_details(sealed).values())
    if found and found[0].depends_on_features and found[0].assignment_auc is not None:
        told.append(say("treatment_depends", **_said(found[0].assignment_auc, "auc")))
    at_random = {name for name, each in sealed.families.items() if each.kind == TREAT_ALL}
    both_ways = [*sealed.pairs, *(pair.turned() for pair in sealed.pairs)]
    against = [pair for pair in both_ways if pair.b in at_random]
    if against and not any(pair.outcome == "better" for pair in against):
        told.append(say("nobody_beats_all", metric=written(sealed.metric)))
    return told


def _plainly(say: Say, sealed: Confirmation, asked: Mapping[str, str]) -> str:
    """What comes of choosing whom to treat within the budget."""
    details = _details(sealed)
    if not details:
        return ""
    shares = {n: f"{sealed.families[n].metrics[VALUE].mean:.2%}" for n in asked}
    (first, title), *rivals = asked.items()
    others = [say("plainly_other", a=called, share=shares[name]) for name, called in rivals]
    budget = f"{next(iter(details.values())).budget:.0%}"
    return say("plainly", a=title, others=listed(say, others), share=shares[first], budget=budget)


def _said(found: Interval, name: str) -> dict[str, str]:
    if name == "effect":
        ends = (signed(found.lower), signed(found.upper))
        return {name: signed(found.value), "lower": ends[0], "upper": ends[1]}
    ends = (f"{found.lower:.3f}", f"{found.upper:.3f}")
    return {name: f"{found.value:.3f}", "lower": ends[0], "upper": ends[1]}


REPORT = TaskReport(
    means="each metric is one of all examples, its interval by the infinitesimal jackknife over "
    "{unit}.",
    words=load_words(
        Path(purchase.__path__[0]) / "words.yaml", Path(__file__).with_name("words.yaml")
    ),
    notes=_notes,
    caveats=_caveats,
    plainly=_plainly,
    section=_section,
)
