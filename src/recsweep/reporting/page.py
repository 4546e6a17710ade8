"""The report: one HTML page that stands alone, asks for nothing and can be printed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recsweep.data.manifest import Manifest
from recsweep.errors import BadInput
from recsweep.records.atomic import write_text
from recsweep.records.confirmation import Confirmation
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.answer import answer_of
from recsweep.reporting.charts.curves import learning_curves
from recsweep.reporting.charts.intervals import ends, fold_scale
from recsweep.reporting.charts.parallel import parallel
from recsweep.reporting.charts.scatter import cost_and_quality
from recsweep.reporting.html import asset, policy, template
from recsweep.reporting.sections import budgets, data_summary, protocol, standings
from recsweep.reporting.sections.importance import ENOUGH, importance_bars
from recsweep.reporting.sections.portraits import Drawn, portrait_section
from recsweep.reporting.sections.sealed import sealed_section
from recsweep.reporting.view import View, score
from recsweep.reporting.words import PAGE_WORDS


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
    style, script = asset("page.css"), asset("page.js")
    return template("page.html.j2").render(
        say=view.say,
        view=view,
        style=style,
        script=script,
        policy=policy(style, script),
        others=[(lang, page_name(lang), PAGE_WORDS[lang]["language_name"]) for lang in others],
        **_verdict(view, confirmation),
        **_figures(view),
        **_tables(view, confirmation, manifest),
        **portrait_section(view, portraits),
    )


def _verdict(view: View, confirmation: Confirmation | None) -> dict[str, Any]:
    said = answer_of(view.study, view.selection, confirmation, view.lang)
    return {"answer": said, "facts": _facts(view)}


def _facts(view: View) -> list[tuple[str, str, str]]:
    """(number, what it counts, a note)."""
    study, trials, rule = view.study, view.study.trials, view.study.experiment.folds.rule
    states = [trial.state for trial in trials]
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
            ),
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
    return facts


def _trials_each(view: View, tuned: list[str]) -> str:
    counts = sorted({len(view.trials(family)) for family in tuned}) or [0]
    return str(counts[0]) if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"


def _figures(view: View) -> dict[str, Any]:
    parallels = {family: parallel(view, family) for family in view.families}
    bars = {family: importance_bars(view, family) for family in view.families}
    tuned = [family for family, drawn in parallels.items() if drawn is not None]
    return {
        "curves": learning_curves(view),
        "parallels": {family: parallels[family] for family in tuned},
        "importances": {family: drawn for family, drawn in bars.items() if drawn is not None},
        "too_few": [family for family in tuned if bars[family] is None],
        "enough": ENOUGH,
        "by_trials": budgets.by_trials(view),
        "by_seconds": budgets.by_seconds(view),
        "other_budget": budgets.under_the_other(view),
        "by_fold": budgets.by_fold(view),
        "cost": cost_and_quality(view),
    }


def _tables(
    view: View, confirmation: Confirmation | None, manifest: Manifest | None
) -> dict[str, Any]:
    return {
        "standings": standings.standings(view),
        "fold_ends": ends(fold_scale(view), score),
        "failures": [t for t in view.study.trials if t.state == "failed"],
        **(sealed_section(view, confirmation) if confirmation else {"sealed": None}),
        "cleaning": data_summary.cleaning_rows(view, manifest) if manifest else [],
        "periods": data_summary.period_rows(view, manifest) if manifest else [],
        "fold_rows": data_summary.fold_rows(view),
        "notes": protocol.protocol_notes(view),
        "commands": protocol.commands(view),
        "environment_rows": protocol.environment_rows(view),
    }
