"""The report: one HTML page that stands alone, asks for nothing and can be printed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from recsweep.data.manifest import Manifest
from recsweep.errors import BadInput
from recsweep.records.atomic import write_text
from recsweep.records.confirmation import Confirmation
from recsweep.records.costs import energy_of
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.answer import answer_of
from recsweep.reporting.charts.by_parameter import by_parameter
from recsweep.reporting.charts.contrasts import contrasts_chart
from recsweep.reporting.charts.curves import learning_curves
from recsweep.reporting.charts.fronts import cost_name, fronts
from recsweep.reporting.charts.intervals import ends, fold_scale
from recsweep.reporting.charts.parallel import parallel
from recsweep.reporting.charts.scatter import cost_and_quality
from recsweep.reporting.html import asset, policy, template
from recsweep.reporting.sections import budgets, data_summary, protocol, standings
from recsweep.reporting.sections.importance import (
    ENOUGH,
    Importance,
    importance_bars,
    importances,
)
from recsweep.reporting.sections.portraits import Drawn, portrait_section
from recsweep.reporting.sections.sealed import best_possible, sealed_scale, sealed_section
from recsweep.reporting.sections.trials import trial_data
from recsweep.reporting.view import View, score
from recsweep.reporting.words import PAGE_WORDS

SMALL = 0.1
"""Kilowatt-hours below which people read watt-hours."""


def write_page(
    study: Study,
    selection: Selection,
    confirmation: Confirmation | None,
    folder: Path,
    lang: str = "en",
    manifest: Manifest | None = None,
    others: Sequence[str] = (),
    portraits: Sequence[Drawn] = (),
) -> Path:
    """Write `report.html`, or `report.zh.html`; the same inputs give the same bytes.

    Args:
        study: with at least one scored trial a family.
        selection: one choice a family of the study.
        confirmation: of the sealed test; None while it is closed.
        folder: of the study.
        lang: `en` or `zh`.
        manifest: of the prepared data; without it the page says nothing about what was dropped.
        others: languages of the pages beside it, to link to.
        portraits: of selected configurations.

    Raises:
        BadInput: a language that the page isn't written in.
    """
    if lang not in PAGE_WORDS:
        raise BadInput(f"language {lang!r} is not known; allowed: {', '.join(PAGE_WORDS)}")
    path = folder / page_name(lang)
    view = View(study, selection, lang)
    write_text(path, render(view, confirmation, manifest, others, portraits))
    return path


def page_name(lang: str) -> str:
    """The file of the page in that language."""
    return "report.html" if lang == "en" else f"report.{lang}.html"


def render(
    view: View,
    confirmation: Confirmation | None,
    manifest: Manifest | None,
    others: Sequence[str],
    portraits: Sequence[Drawn],
) -> str:
    """The page's HTML."""
    style = asset("page.css") + asset("charts.css")
    script = Markup("").join(asset(f"{name}.js") for name in ("charts", "trials", "page"))
    return template("page.html.j2").render(
        say=view.say,
        view=view,
        style=style,
        script=script,
        policy=policy(style, script),
        others=[(lang, page_name(lang), PAGE_WORDS[lang]["language_name"]) for lang in others],
        facts=_facts(view),
        **_upper(view, confirmation),
        **_figures(view),
        **_tables(view, manifest),
        **portrait_section(view, portraits),
    )


def _upper(view: View, sealed: Confirmation | None) -> dict[str, Any]:
    """All that stands above the search: the answer, the sealed test, leaderboard and caveats."""
    said = answer_of(view.study, view.selection, sealed, view.lang)
    picture = None
    if said.contrasts:
        axis = view.say("picture_axis", metric=said.metric)
        picture = contrasts_chart(said, view.say("picture"), axis)
    caveats = [*said.caveats, *(best_possible(view, sealed) if sealed else ())]
    if sealed and sealed.pairs:
        caveats.append(view.say("folds_caveat"))
    if other := budgets.under_the_other(view):
        caveats.append(other)
    return {
        "answer": said,
        "picture": picture,
        "standings": standings.standings(view, sealed, said),
        "order_told": any(c.about == "order" for c in said.contrasts),
        "caveats": [*caveats, *standings.warnings(view)],
        "sealed_ends": ends(sealed_scale(sealed), score) if sealed else {},
        **(sealed_section(view, sealed) if sealed else {"sealed": None}),
    }


def _facts(view: View) -> list[tuple[str, str, str]]:
    """(number, what it counts, a note)."""
    study, rule = view.study, view.study.experiment.folds.rule
    trials = [trial for trial in study.trials if trial.state != "refused"]
    states = [trial.state for trial in trials]
    refused = len(study.trials) - len(trials)
    tuned = study.tuned
    core = sum(budgets.core_seconds(view, trial) for trial in trials) / 3600
    facts = [
        (
            f"{len(trials):,}",
            view.say("fact_trials"),
            view.say(
                "fact_trials_note",
                complete=states.count("complete"),
                pruned=states.count("pruned"),
                failed=states.count("failed"),
            )
            + (view.say("fact_refused_note", refused=refused) if refused else ""),
        ),
        (
            str(len(view.families)),
            view.say("fact_families"),
            view.say("fact_families_note", tuned=len(tuned), trials=_trials_each(view, tuned)),
        ),
        (
            str(len(study.folds)),
            view.say("fact_folds"),
            view.say(f"fact_folds_{rule}"),
        ),
        (f"{core:,.2f}", view.say("fact_core"), view.say("fact_core_note")),
    ]
    wall = sum(session.wall_seconds for session in study.sessions)
    offered = sum(session.workers * session.wall_seconds for session in study.sessions)
    if offered:
        busy = sum(session.busy_seconds for session in study.sessions) / offered
        note = view.say("fact_wall_note", efficiency=f"{busy:.0%}")
        facts.append((f"{wall / 60:,.1f}", view.say("fact_wall"), note))
    return [*facts, *_energy_facts(view)]


def _energy_facts(view: View) -> Iterator[tuple[str, str, str]]:
    """Where energy was asked for; the price is of the hours that trials held their resources."""
    declared = view.study.experiment.energy
    if declared is None:
        return
    used, estimated = energy_of(view.study.trials)
    if estimated:
        note = view.say("fact_energy_estimated", share=f"{estimated / used:.0%}")
    else:
        note = view.say("fact_energy_note")
    if used < SMALL:
        yield f"{1000 * used:,.3g}", view.say("fact_energy_small"), note
    else:
        yield f"{used:,.3g}", view.say("fact_energy"), note
    if declared.price_per_hour is not None:
        hours = sum(trial.seconds for trial in view.study.trials) / 3600
        note = view.say("fact_price_note", price=f"{declared.price_per_hour:g}")
        yield f"{hours * declared.price_per_hour:,.2f}", view.say("fact_price"), note


def _trials_each(view: View, tuned: list[str]) -> str:
    counts = sorted({len(view.trials(family)) for family in tuned}) or [0]
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"


def _figures(view: View) -> dict[str, Any]:
    parallels = {family: parallel(view, family) for family in view.families}
    found = {
        family: importances(view.study.spaces[family], view.trials(family), view.goodness)
        for family in view.families
    }
    known = {family: importance for family, importance in found.items() if importance}
    tuned = [family for family, drawn in parallels.items() if drawn is not None]
    return {
        "curves": learning_curves(view),
        "parallels": {family: parallels[family] for family in tuned},
        "by_parameter": _by_parameter(view, known),
        "trial_data": trial_data(view),
        "importances": {f: (importance_bars(view, f, i), i) for f, i in known.items()},
        "too_few": [view.label(family) for family in tuned if family not in known],
        "enough": ENOUGH,
        "by_trials": budgets.by_trials(view),
        "by_seconds": budgets.by_seconds(view),
        "by_fold": budgets.by_fold(view),
        "cost": cost_and_quality(view),
        "fronts": {cost_name(view, cost): drawn for cost, drawn in fronts(view).items()},
    }


def _by_parameter(view: View, known: Mapping[str, Importance]) -> dict[str, dict[str, Any]]:
    """Family -> its parameters, the one that mattered most, and that one's chart."""
    out = {}
    for family in view.families:
        axes = view.study.spaces[family].parameters
        first = next(iter(known[family].shares if family in known else axes), None)
        drawn = by_parameter(view, family, axes[first]) if first else None
        if drawn:
            out[family] = {"names": list(axes), "first": first, "drawn": drawn}
    return out


def _tables(view: View, manifest: Manifest | None) -> dict[str, Any]:
    return {
        "found": standings.found(view),
        "fold_ends": ends(fold_scale(view), score),
        "failures": [t for t in view.study.trials if t.state == "failed"],
        "cleaning": data_summary.cleaning_rows(view, manifest) if manifest else [],
        "periods": data_summary.period_rows(view, manifest) if manifest else [],
        "fold_rows": data_summary.fold_rows(view),
        "notes": protocol.protocol_notes(view),
        "commands": protocol.commands(view),
        "environment_rows": protocol.environment_rows(view),
    }
