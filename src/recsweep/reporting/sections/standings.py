"""Every family: how it stands, what the search found of it, and what to mistrust."""

import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.answer import Answer
from recsweep.reporting.charts.intervals import estimate_cell, fold_cell, fold_scale
from recsweep.reporting.charts.svg import Scale
from recsweep.reporting.leaderboard import Row
from recsweep.reporting.sections.budgets import core_seconds
from recsweep.reporting.sections.sealed import sealed_scale
from recsweep.reporting.sections.verdicts import ranking
from recsweep.reporting.view import View, estimated, score, setting, signed

EDGE_WARNING = re.compile(r"^(\w+) = (\S+) is at the (?:lower|upper) end of (\[[^\]]*\])")


@dataclass(frozen=True, slots=True)
class Standing:
    """One family on the leaderboard."""

    index: int
    family: str
    swatch: Markup
    plot: Markup  # of the sealed test; of the folds while it is closed
    sealed: str  # `0.0987 [0.0812, 0.1162]`, or nothing
    folds: str  # `0.0842 ± 0.0017`
    order: str  # what sequence order contributes
    significant: bool  # does it?
    seconds: str  # core-seconds of its trials


@dataclass(frozen=True, slots=True)
class Found:
    """What the search found of one family."""

    index: int
    family: str
    swatch: Markup
    plot: Markup
    folds: str
    gain: str
    complete: int
    pruned: int
    failed: int
    epochs: int
    trial: str
    config: list[tuple[str, str]]
    metrics: list[tuple[str, str]]


def standings(view: View, sealed: Confirmation | None, answer: Answer) -> list[Standing]:
    """The leader first: on the sealed test where it was opened."""
    rows = {row.choice.family: row for row in view.rows}
    x = sealed_scale(sealed) if sealed else fold_scale(view)
    order = {c.verdict.a: c for c in answer.contrasts if c.about == "order"}
    out = []
    for name in ranking(sealed) if sealed else view.families:
        row, mark, text, plot = rows.get(name), view.marks[name], "", Markup("")
        if sealed:
            e = sealed.families[name].metrics[sealed.metric]
            text, plot = estimated(e), estimate_cell(e.mean, e.lower, e.upper, mark, x)
        worth = order.get(name)
        out.append(
            Standing(
                index=mark.index,
                family=view.label(name),
                swatch=mark.swatch(),
                plot=plot or (_folds_plot(view, row, x) if row else plot),
                sealed=text,
                folds=f"{score(row.mean)} ± {score(row.spread)}" if row else "–",
                order=f"{signed(worth.verdict.lead[0])} ({worth.how})" if worth else "",
                significant=worth is not None and worth.verdict.outcome == "better",
                seconds=(
                    f"{sum(core_seconds(view, trial) for trial in view.trials(name)):,.0f}"
                    if row
                    else "–"
                ),
            )
        )
    return out


def found(view: View) -> list[Found]:
    """The leader on the folds first."""
    x = fold_scale(view)
    return [_found(view, row, x) for row in view.rows]


def warnings(view: View) -> Iterator[str]:
    """What to know before believing a family's score, the leader's first."""
    for row in view.rows:
        if texts := _warnings(view, row):
            text = view.say("said_semicolon").join(texts)
            yield f"{view.label(row.choice.family)}{view.say('colon')}{text}"


def _found(view: View, row: Row, x: Scale) -> Found:
    choice, mark = row.choice, view.marks[row.choice.family]
    return Found(
        index=mark.index,
        family=view.label(choice.family),
        swatch=mark.swatch(),
        plot=_folds_plot(view, row, x),
        folds=f"{score(row.mean)} ± {score(row.spread)}",
        gain=_gain(view, row),
        complete=row.complete,
        pruned=row.pruned,
        failed=row.failed,
        epochs=choice.epochs,
        trial=choice.trial,
        config=[(name, setting(value)) for name, value in choice.config.items()],
        metrics=[
            (view.term(written(name)), score(statistics.fmean(values)))
            for name, values in choice.metrics.items()
            if name != view.selection.metric
        ],
    )


def _folds_plot(view: View, row: Row, x: Scale) -> Markup:
    values = row.choice.metrics[view.selection.metric]
    return fold_cell(row, values, view.marks[row.choice.family], x)


def _gain(view: View, row: Row) -> str:
    """What tuning added to the published defaults, which are always trial 0."""
    first = next((t for t in view.trials(row.choice.family) if t.number == 0), None)
    tuned = len(view.trials(row.choice.family)) > 1
    if not tuned or first is None or first.best is None or first.state != "complete":
        return "–"
    if first.id == row.choice.trial:
        return view.say("is_default")
    return signed(view.goodness(row.mean) - view.goodness(first.best.value))


def _warnings(view: View, row: Row) -> list[str]:
    """Those of the edges in one line, and in the reader's language where their form is known."""
    out, edges = [], []
    if not row.choice.converged:
        out.append(view.say("warn_converged", epochs=row.choice.epochs))
    for text in row.choice.near_edge:
        if known := EDGE_WARNING.match(text):
            edges.append(view.say("edge", name=known[1], value=known[2], range=known[3]))
        else:
            out.append(text)
    if edges:
        out.append(view.say("warn_edge", list=view.say("list_within").join(edges)))
    return out
