"""The sealed test's section: families, pairs, parts of the targets."""

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.charts.intervals import (
    INSET,
    WIDTH,
    ends,
    estimate_cell,
    verdict_cell,
    verdict_scale,
)
from recsweep.reporting.charts.svg import Scale
from recsweep.reporting.leaderboard import beside
from recsweep.reporting.sections.subgroups import group_tables
from recsweep.reporting.sections.verdicts import cautions, ranking, sentence
from recsweep.reporting.tasks.registry import report_of
from recsweep.reporting.view import View, interval, score, signed


@dataclass(frozen=True, slots=True)
class SealedRow:
    """One family on the sealed test."""

    index: int
    family: str
    swatch: Markup
    plot: Markup
    values: list[str]  # as `sealed_columns`
    seeds: int


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
        "sealed_ends": ends(sealed_scale(sealed), score),
        "pair_rows": pair_rows(view, sealed),
        "pair_ends": ends(verdict_scale(sealed.pairs), signed) if sealed.pairs else {},
        "sealed_cold": _how_cold(view),
        "cold_sentences": [sentence(view, pair) for pair in sealed.cold],
        "group_tables": group_tables(view, sealed),
        "best_possible": _best_possible(view, sealed),
        "task_section": report_of(view.study.experiment.task).section(view, sealed),
    }


def _how_cold(view: View) -> str | None:
    """What becomes of targets on courses without events; a session names no course."""
    if view.study.experiment.data.unit == "sessions":
        return None
    ranked = view.study.experiment.targets.candidates == "catalogue"
    return "sealed_cold_ranked" if ranked else "sealed_cold"


def _best_possible(view: View, sealed: Confirmation) -> str:
    if sealed.best_possible is None:
        return ""
    return view.say("best_possible", value=f"{sealed.best_possible:.4f}", metric=view.metric)


def sealed_rows(view: View, confirmation: Confirmation) -> list[SealedRow]:
    """The best mean first."""
    key, x, out = confirmation.metric, sealed_scale(confirmation), []
    cut = key.partition("@")[2]

    def of_cut(name: str) -> bool:
        return name.partition("@")[2] == cut

    for family in ranking(confirmation):
        result, mark = confirmation.families[family], view.marks[family]
        main = result.metrics[key]
        text = f"{score(main.mean)} [{score(main.lower)}, {score(main.upper)}]"
        others = [score(result.metrics[name].mean) for name in other_metrics(view, confirmation)]
        out.append(
            SealedRow(
                index=mark.index,
                family=family,
                swatch=mark.swatch(),
                plot=estimate_cell(main.mean, main.lower, main.upper, mark, x),
                values=[
                    text,
                    *others,
                    *(f"{share:.1%}" for name, share in result.coverage.items() if of_cut(name)),
                    *(f"{n.mean:.2f}" for name, n in result.novelty.items() if of_cut(name)),
                ],
                seeds=len(result.seeds),
            )
        )
    return out


def sealed_columns(view: View, confirmation: Confirmation) -> list[str]:
    """The study's metric, the others at its cut-off, then what the lists are like."""
    cut = confirmation.metric.partition("@")[2]
    return [
        view.say("mean", metric=view.metric),
        *map(written, other_metrics(view, confirmation)),
        *([view.say("coverage", k=cut), view.say("novelty", k=cut)] if cut else []),
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
            indices=f"{view.marks[v.a].index} {view.marks[v.b].index}",
            pair=view.say("against", a=v.a, b=v.b),
            plot=verdict_cell(v, x),
            difference=interval(v),
            p=f"{v.p:.4f}" if v.p >= 0.0001 else "<0.0001",
            outcome=view.say(f"outcome_{v.outcome}".replace(" ", "_"), a=v.a, b=v.b),
            cautions=cautions(view, v),
            kind=v.outcome.split()[0],
        )
        for v in sorted(turned, key=lambda v: (v.exploratory, place[v.a], place[v.b]))
    ]
