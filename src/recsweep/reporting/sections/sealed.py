"""The sealed test's section: every family against every other, and what lies behind it."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.evaluation.verdict import PairVerdict
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.charts.intervals import INSET, WIDTH, ends, verdict_cell, verdict_scale
from recsweep.reporting.charts.svg import Scale
from recsweep.reporting.leaderboard import beside
from recsweep.reporting.sections.groups import groups_of_learners
from recsweep.reporting.sections.subgroups import group_tables
from recsweep.reporting.sections.verdicts import cautions, ranking, sentence, verdict_on
from recsweep.reporting.tasks.registry import report_of
from recsweep.reporting.view import View, estimated, interval, score, signed

SIGNS = {"better": "▲", "worse": "▼", "equivalent": "=", "no difference shown": ""}


@dataclass(frozen=True, slots=True)
class Cell:
    """A row's family less a column's; hidden with either."""

    indices: str
    lead: str
    sign: str
    kind: str  # better, worse, equivalent, no
    declared: bool
    says: str


@dataclass(frozen=True, slots=True)
class SealedRow:
    """One family on the sealed test."""

    index: int
    family: str
    swatch: Markup
    against: list[Cell | None]  # each family in the same order; None: itself
    values: list[str]  # as `sealed_columns`


@dataclass(frozen=True, slots=True)
class PairRow:
    """One verdict; hidden with either of its families."""

    indices: str
    pair: str
    plot: Markup
    difference: str
    p: str
    outcome: str
    cautions: list[str]
    kind: str


def sealed_section(view: View, sealed: Confirmation) -> dict[str, Any]:
    """What the template shows of it."""
    return {
        "sealed": sealed,
        "sealed_rows": sealed_rows(view, sealed),
        "sealed_columns": sealed_columns(view, sealed),
        "pair_rows": pair_rows(view, sealed),
        "pair_ends": ends(verdict_scale(sealed.pairs), signed) if sealed.pairs else {},
        "sealed_cold": _how_cold(view),
        "cold_sentences": [sentence(view, pair) for pair in sealed.cold],
        "group_tables": group_tables(view, sealed),
        "learner_groups": groups_of_learners(view, sealed),
        "task_section": report_of(view.study.experiment.task).section(view, sealed),
    }


def _how_cold(view: View) -> str | None:
    """What becomes of targets on courses without events; a session or a text names no course."""
    if view.study.experiment.data.kind != "events":
        return None
    ranked = view.study.experiment.targets.candidates == "catalogue"
    return "sealed_cold_ranked" if ranked else "sealed_cold"


def best_possible(view: View, sealed: Confirmation) -> list[str]:
    """Of data whose truth is known, the score of who knows it."""
    if sealed.best_possible is None:
        return []
    return [view.say("best_possible", value=f"{sealed.best_possible:.4f}", metric=view.metric)]


def sealed_rows(view: View, confirmation: Confirmation) -> list[SealedRow]:
    """The best mean first."""
    key, names = confirmation.metric, ranking(confirmation)
    cut = key.partition("@")[2]

    def of_cut(name: str) -> bool:
        return name.partition("@")[2] == cut

    out = []
    for family in names:
        result, mark = confirmation.families[family], view.marks[family]
        others = [score(result.metrics[name].mean) for name in other_metrics(view, confirmation)]
        out.append(
            SealedRow(
                index=mark.index,
                family=view.label(family),
                swatch=mark.swatch(),
                against=[_against(view, confirmation, family, other) for other in names],
                values=[
                    estimated(result.metrics[key]),
                    *others,
                    *(f"{share:.1%}" for name, share in result.coverage.items() if of_cut(name)),
                    *(f"{n.mean:.2f}" for name, n in result.novelty.items() if of_cut(name)),
                    str(len(result.seeds)),
                ],
            )
        )
    return out


def _against(view: View, confirmation: Confirmation, family: str, other: str) -> Cell | None:
    if family == other:
        return None
    v = verdict_on(confirmation, family, other)
    return Cell(
        indices=_indices(view, v),
        lead=signed(v.lead[0]),
        sign=SIGNS[v.outcome],
        kind=v.outcome.split()[0],
        declared=not v.exploratory,
        says=view.say(_outcome(v), a=view.titles[family], b=view.titles[other]),
    )


def sealed_columns(view: View, confirmation: Confirmation) -> list[str]:
    """The study's metric, the others at its cut-off, then what the lists are like."""
    cut = confirmation.metric.partition("@")[2]
    return [
        view.say("mean", metric=view.metric),
        *map(written, other_metrics(view, confirmation)),
        *([view.say("coverage", k=cut), view.say("novelty", k=cut)] if cut else []),
        view.say("seeds" if confirmation.searches == 1 else "seeds_each"),
    ]


def sealed_scale(confirmation: Confirmation) -> Scale:
    """Holds every family's interval."""
    estimates = [result.metrics[confirmation.metric] for result in confirmation.families.values()]
    low, high = min(e.lower for e in estimates), max(e.upper for e in estimates)
    return Scale(low, high, INSET, WIDTH - INSET)


def other_metrics(view: View, confirmation: Confirmation) -> list[str]:
    """Those that stand beside the study's own, in the record's order."""
    names = next(iter(confirmation.families.values())).metrics
    shown = beside(view.study.experiment)
    return [name for name in names if name in shown]


def pair_rows(view: View, confirmation: Confirmation) -> list[PairRow]:
    """Declared pairs first; by the families' ranking, the higher family named first."""
    if not confirmation.pairs:
        return []
    place = {family: n for n, family in enumerate(ranking(confirmation))}
    turned = [v if place[v.a] < place[v.b] else v.turned() for v in confirmation.pairs]
    x = verdict_scale(turned)
    return [
        PairRow(
            indices=_indices(view, v),
            pair=view.say("against", a=view.label(v.a), b=view.titles[v.b]),
            plot=verdict_cell(v, x),
            difference=interval(v),
            p=f"{v.p:.4f}" if v.p >= 0.0001 else "<0.0001",
            outcome=view.say(_outcome(v), a=view.titles[v.a], b=view.titles[v.b]),
            cautions=cautions(view, v),
            kind=v.outcome.split()[0],
        )
        for v in sorted(turned, key=lambda v: (v.exploratory, place[v.a], place[v.b]))
    ]


def _indices(view: View, v: PairVerdict) -> str:
    return f"{view.marks[v.a].index} {view.marks[v.b].index}"


def _outcome(v: PairVerdict) -> str:
    return f"outcome_{v.outcome}".replace(" ", "_")
