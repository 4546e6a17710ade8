"""A study as a notebook shows it: the leaderboard, and what the sealed test said."""

import polars as pl
from markupsafe import Markup

from recsweep.config.schema import Experiment, written
from recsweep.records.confirmation import Confirmation


def study_html(
    experiment: Experiment, leaderboard: pl.DataFrame, confirmation: Confirmation | None
) -> str:
    """A table of families, the best first, and the verdicts below it."""
    key = experiment.metric.key
    head = ["family", f"{written(key)}, folds (mean ± sd)", "epochs"]
    head += [f"{written(key)}, sealed test"] if confirmation else []
    rows = []
    for row in leaderboard.iter_rows(named=True):
        cells = [row["family"], f"{row[key]:.4f} ± {row['sd']:.4f}", str(row["epochs"])]
        if confirmation:
            sealed = confirmation.families[row["family"]].metrics[key]
            cells.append(f"{sealed.mean:.4f} [{sealed.lower:.4f}, {sealed.upper:.4f}]")
        rows.append(_row("td", cells))
    said = _said(confirmation) if confirmation else ["The sealed test has not been opened."]
    return (
        Markup("<p><b>{}</b>: {}</p>").format(experiment.study, experiment.description)
        + Markup("<table><thead>{}</thead><tbody>{}</tbody></table>").format(
            _row("th", head), Markup().join(rows)
        )
        + Markup("<ul>{}</ul>").format(Markup().join(Markup("<li>{}</li>").format(s) for s in said))
    )


def _said(confirmation: Confirmation) -> list[str]:
    """What was declared before the test was opened comes first."""
    pairs = sorted(
        zip(confirmation.pairs, confirmation.verdicts, strict=True),
        key=lambda pair: pair[0].exploratory,
    )
    return [("Exploratory: " if pair.exploratory else "") + sentence for pair, sentence in pairs]


def _row(tag: str, cells: list[str]) -> Markup:
    return Markup("<tr>{}</tr>").format(
        Markup().join(Markup(f"<{tag}>{{}}</{tag}>").format(cell) for cell in cells)
    )
