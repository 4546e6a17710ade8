"""The leaderboard's and the sealed test's rows, as the page shows them."""

import re
import statistics
from dataclasses import dataclass

from markupsafe import Markup

from recsweep.records.confirmation import ConfirmationSummary
from recsweep.reporting.intervals import (
    INSET,
    WIDTH,
    estimate_cell,
    fold_cell,
    fold_scale,
    verdict_cell,
    verdict_scale,
)
from recsweep.reporting.leaderboard import Row, show_metric
from recsweep.reporting.svg import Scale
from recsweep.reporting.verdicts import mirrored, ranking
from recsweep.reporting.view import View, interval, score, setting, signed

EDGE_WARNING = re.compile(r"^(\w+) = (\S+) is at the (?:lower|upper) end of (\[[^\]]*\])")


@dataclass(frozen=True, slots=True)
class Standing:
    """One family on the folds."""

    index: int
    family: str
    swatch: Markup
    plot: Markup
    value: str
    spread: str
    gain: str
    complete: int
    pruned: int
    failed: int
    seconds: str
    epochs: int
    trial: str
    config: list[tuple[str, str]]
    metrics: list[tuple[str, str]]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class SealedRow:
    """One family on the sealed test."""

    index: int
    family: str
    swatch: Markup
    plot: Markup
    values: list[str]  # the study's metric with its interval first
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
    kind: str


def standings(view: View) -> list[Standing]:
    """The leader first."""
    x = fold_scale(view)
    return [_standing(view, row, x) for row in view.rows]


def _standing(view: View, row: Row, x: Scale) -> Standing:
    choice, mark = row.choice, view.marks[row.choice.family]
    key = view.selection.metric
    trials = view.trials(choice.family)
    return Standing(
        index=mark.index,
        family=choice.family,
        swatch=mark.swatch(),
        plot=fold_cell(row, choice.metrics[key], mark, x),
        value=score(row.mean),
        spread=score(row.spread),
        gain=_gain(view, row),
        complete=row.complete,
        pruned=row.pruned,
        failed=row.failed,
        seconds=f"{sum(t.fit_seconds + t.evaluate_seconds for t in trials) * view.cores():,.0f}",
        epochs=choice.epochs,
        trial=choice.trial,
        config=[(name, setting(value)) for name, value in choice.config.items()],
        metrics=[
            (show_metric(name), score(statistics.fmean(values)))
            for name, values in choice.metrics.items()
            if name != key
        ],
        warnings=_warnings(view, row),
    )


def _gain(view: View, row: Row) -> str:
    """What tuning added to the published defaults, which are always trial 0."""
    first = next((t for t in view.trials(row.choice.family) if t.number == 0), None)
    tuned = len(view.trials(row.choice.family)) > 1
    if not tuned or first is None or first.best is None or first.state != "complete":
        return "–"
    if first.id == row.choice.trial:
        return view.say("is_default")
    return signed(row.mean - first.best.value)


def _warnings(view: View, row: Row) -> list[str]:
    """Those of the edges in one line, and in the reader's language where their form is known."""
    out, edges = [], []
    if not row.choice.converged:
        out.append(view.say("warn_converged", epochs=row.choice.epochs))
    for text in row.choice.near_edge:
        if found := EDGE_WARNING.match(text):
            edges.append(view.say("edge", name=found[1], value=found[2], range=found[3]))
        else:
            out.append(text)
    return [*out, *([view.say("warn_edge", list="; ".join(edges))] if edges else [])]


def sealed_rows(view: View, confirmation: ConfirmationSummary) -> list[SealedRow]:
    """The highest mean first."""
    key, x, out = confirmation.metric, sealed_scale(confirmation), []
    results = {result.family: result for result in confirmation.families}
    for family in ranking(confirmation):
        result, mark = results[family], view.marks[family]
        main = result.metrics[key]
        text = f"{score(main.mean)} [{score(main.lower)}, {score(main.upper)}]"
        others = [score(result.metrics[name].mean) for name in other_metrics(confirmation)]
        out.append(
            SealedRow(
                index=mark.index,
                family=family,
                swatch=mark.swatch(),
                plot=estimate_cell(main.mean, main.lower, main.upper, mark, x),
                values=[text, *others],
                seeds=result.seeds,
            )
        )
    return out


def sealed_scale(confirmation: ConfirmationSummary) -> Scale:
    """Holds every family's interval."""
    estimates = [result.metrics[confirmation.metric] for result in confirmation.families]
    low, high = min(e.lower for e in estimates), max(e.upper for e in estimates)
    return Scale(low, high, INSET, WIDTH - INSET)


def other_metrics(confirmation: ConfirmationSummary) -> list[str]:
    """At the study's own cut-off, beside its metric."""
    names = confirmation.families[0].metrics if confirmation.families else {}
    cut = confirmation.metric.partition("@")[2]
    return [n for n in names if n != confirmation.metric and n.partition("@")[2] == cut]


def pair_rows(view: View, confirmation: ConfirmationSummary) -> list[PairRow]:
    """Ordered by the families' ranking, the higher family named first."""
    if not confirmation.verdicts:
        return []
    place = {family: n for n, family in enumerate(ranking(confirmation))}
    turned = [v if place[v.a] < place[v.b] else mirrored(v) for v in confirmation.verdicts]
    x = verdict_scale(turned)
    return [
        PairRow(
            indices=f"{view.marks[v.a].index} {view.marks[v.b].index}",
            pair=view.say("against", a=v.a, b=v.b),
            plot=verdict_cell(v, x),
            difference=interval(v),
            p=f"{v.p:.4f}" if v.p >= 0.0001 else "<0.0001",
            outcome=view.say(f"outcome_{v.outcome}".replace(" ", "_"), a=v.a, b=v.b),
            kind=v.outcome.split()[0],
        )
        for v in sorted(turned, key=lambda v: (place[v.a], place[v.b]))
    ]
