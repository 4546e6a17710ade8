"""The leaderboard's rows, as the page shows them."""

import re
import statistics
from dataclasses import dataclass

from markupsafe import Markup

from recsweep.config.schema import written
from recsweep.reporting.charts.intervals import fold_cell, fold_scale
from recsweep.reporting.charts.svg import Scale
from recsweep.reporting.leaderboard import Row
from recsweep.reporting.view import View, score, setting, signed

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
            (written(name), score(statistics.fmean(values)))
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
    return signed(view.goodness(row.mean) - view.goodness(first.best.value))


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
