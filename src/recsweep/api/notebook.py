"""A study as a notebook shows it: its answer, then the leaderboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
from markupsafe import Markup

from recsweep.config.schema import Experiment, written
from recsweep.records.confirmation import Confirmation

if TYPE_CHECKING:
    from recsweep.reporting.answer import Answer


def study_html(
    experiment: Experiment,
    answer: Answer,
    leaderboard: pl.DataFrame,
    confirmation: Confirmation | None,
) -> str:
    """The answer with its declared comparisons, and a table of families, the best first."""
    key = experiment.metric.key
    head = ["family", f"{written(key)}, folds (mean ± sd)", "epochs"]
    head += [f"{written(key)}, sealed test"] if confirmation else []
    rows = []
    for row in leaderboard.iter_rows(named=True):
        cells = [row["family"], f"{row[key]:z.4f} ± {row['sd']:.4f}", str(row["epochs"])]
        if confirmation:
            sealed = confirmation.families[row["family"]].metrics[key]
            cells.append(f"{sealed.mean:z.4f} [{sealed.lower:z.4f}, {sealed.upper:z.4f}]")
        rows.append(cells)
    pairs = [[c.pair, c.numbers, c.how] for c in answer.contrasts]
    limits = [answer.basis, *answer.caveats]
    return (
        Markup("<p><b>{}</b>: {}</p>").format(experiment.study, experiment.description)
        + Markup("<p><b>{}</b></p>").format(answer.sentence)
        + Markup().join(Markup("<p>{}</p>").format(text) for text in answer.further)
        + (_table(["lead of", answer.metric, ""], pairs) if pairs else "")
        + Markup().join(Markup("<p><small>{}</small></p>").format(text) for text in limits if text)
        + _table(head, rows)
    )


def _table(head: list[str], rows: list[list[str]]) -> Markup:
    return Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(
        _row("th", head), Markup().join(_row("td", cells) for cells in rows)
    )


def _row(tag: str, cells: list[str]) -> Markup:
    return Markup("<tr>{}</tr>").format(
        Markup().join(Markup(f"<{tag}>{{}}</{tag}>").format(cell) for cell in cells)
    )
