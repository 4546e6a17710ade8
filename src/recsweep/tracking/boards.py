"""A study's workspace and report as objects of W&B's library: what the report asks, of runs.

The panels that a reviewer finds are decided here and nowhere else.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws
from wandb_workspaces import expr

from recsweep.records.board import Board

WIDE, HALF, HIGH = 24, 12, 9  # of a grid 24 units wide
BEST = wr.SummaryMetric("best_value")


@dataclass(frozen=True, slots=True)
class _Grid:
    """Panels under a heading, over the study's trials or those of these families."""

    title: str
    panels: Sequence[Any]
    note: str = ""
    families: Sequence[str] = ()  # none: all
    job: str = "trial"


def workspace_of(board: Board, entity: str) -> ws.Workspace:
    """The answer, then the study's trials, grouped by family, with a section a grid of theirs."""
    answer = wr.MarkdownPanel(markdown=_answer(board))
    answer.layout = wr.Layout(x=0, y=0, w=WIDE, h=2 * HIGH)
    sections = [ws.Section(name="Answer", panels=[answer], is_open=True, pinned=True)]
    sections += [
        ws.Section(name=grid.title, panels=_laid_out(grid.panels), is_open=True)
        for grid in _grids(board)
        if grid.job == "trial"
    ]
    return ws.Workspace(
        entity=entity,
        project=board.project,
        name=board.title,
        sections=sections,
        settings=ws.WorkspaceSettings(x_axis="epoch", max_runs=100),
        runset_settings=ws.RunsetSettings(
            filters=_filter(board),
            groupby=[expr.Config("family")],
            order=[expr.Ordering(expr.Summary("best_value"), ascending=False)],
            pinned_columns=["summary:best_value", "summary:state", "summary:reason"],
        ),
    )


def report_of(board: Board, entity: str) -> wr.Report:
    """The answer in words, its tables, and a panel grid for each of our grids."""
    first, *more = board.verdict
    blocks: list[Any] = [wr.P(board.question)] if board.question else []
    blocks += [wr.CalloutBlock(first), *(wr.P(text) for text in more)]
    for title, table in board.tables.items():
        blocks += [wr.H2(title), wr.MarkdownBlock(table)]
    for grid in _grids(board):
        blocks.append(wr.H2(grid.title))
        if grid.note:
            blocks.append(wr.P(grid.note))
        runs = wr.Runset(
            entity=entity,
            project=board.project,
            name=grid.title,
            filters=_filter(board, grid.job, grid.families),
        )
        blocks.append(wr.PanelGrid(runsets=[runs], panels=_laid_out(grid.panels)))
    return wr.Report(
        entity=entity,
        project=board.project,
        title=board.title,
        description=first,
        blocks=blocks,
        width="fluid",
    )


def view_name(board: Board) -> str:
    """The workspace's name on the server, the same whenever it is published."""
    digest = hashlib.sha256(f"recsweep {board.project} {board.study}".encode()).hexdigest()
    return f"nw-{digest[:11]}-v"


def _filter(board: Board, job: str = "trial", families: Sequence[str] = ()) -> str:
    parts = [f"Group = '{board.study}'", f"JobType = '{job}'"]
    names = ", ".join(f"'{family}'" for family in families)
    parts += [f"Config('family') in [{names}]"] if families else []
    return " and ".join(parts)


def _answer(board: Board) -> str:
    """For a panel, as Markdown."""
    first, *more = board.verdict
    asked = [f"### {board.question}"] if board.question else []
    tables = [f"#### {title}\n\n{table}" for title, table in board.tables.items()]
    return "\n\n".join([*asked, f"**{first}**", *more, *tables])


def _grids(board: Board) -> list[_Grid]:
    """Families, what was tried in each, folds, budget, cost."""
    metric, end = board.metric, "min" if board.lower_is_better else "max"
    best_so_far = wr.ScatterPlot(title="Best so far by trial", x=wr.Config("number"), y=BEST)
    setattr(best_so_far, f"running_y{end}", True)
    compared = _Grid(
        "Selected configurations",
        [
            _bar(f"Sealed test: {metric}", f"sealed/{metric}", end),
            _bar(f"Folds: {metric}", "best_value", end),
            _line(f"{metric} by epoch, folds", metric),
            _bar("Seconds of training", "fit_seconds", "sum"),
        ],
        "The networks and the baselines that the question is about, one run each.",
        board.compared,
        job="selected",
    )
    return [
        *([compared] if board.compared else []),
        _Grid(
            "Families",
            [
                _bar(f"Best {metric}", "best_value", end),
                _line(f"{metric} by epoch", metric),
                _line("Gradient norm", "gradient_norm"),
            ],
            "Each family had the same budget. The best of many trials is lucky: the verdict above "
            "is from the sealed test.",
        ),
        _Grid(
            "Training loss",
            [_line(_loss_title(key), key) for key in board.losses],
            "A panel a loss: values of different losses can't be compared.",
        ),
        *(
            _Grid(
                f"Parameters of {family}",
                [
                    _parallel(f"What was tried: {family}", parameters),
                    wr.ParameterImportancePlot(with_respect_to="best_value"),
                ],
                families=[family],
            )
            for family, parameters in board.tuned.items()
        ),
        _Grid(
            "Folds",
            [_line(f"{metric}, fold {n}", f"fold/{n}/{metric}") for n in range(board.folds)],
            "Lines that cross change places from one period to the next.",
        ),
        _Grid(
            "Budget",
            [best_so_far, _bar("Epochs trained", "epochs", "sum")],
            "A best that still rises at the end says that more trials would help.",
        ),
        _Grid(
            "Cost",
            [
                wr.ScatterPlot(
                    title="Score and training time",
                    x=wr.SummaryMetric("fit_seconds"),
                    y=BEST,
                    log_x=True,
                ),
                _line("Events a second", "events_per_second"),
                _line("Memory, MiB", "memory_mb"),
                _bar("Seconds of training", "fit_seconds", "sum"),
            ],
        ),
    ]


def _loss_title(key: str) -> str:
    """`Training loss: bpr`."""
    return "Training loss" + key.removeprefix("loss").replace("/", ": ")


def _laid_out(panels: Sequence[Any]) -> Sequence[Any]:
    """Two a row; what has many axes gets a row of its own."""
    x, y = 0, 0
    for panel in panels:
        wide = isinstance(panel, wr.ParallelCoordinatesPlot)
        if wide and x:
            x, y = 0, y + HIGH
        width = WIDE if wide else HALF
        panel.layout = wr.Layout(x=x, y=y, w=width, h=HIGH)
        x += width
        if x >= WIDE:
            x, y = 0, y + HIGH
    return panels


def _line(title: str, metric: str) -> wr.LinePlot:
    """A curve over epochs: each family's runs as their mean and range."""
    return wr.LinePlot(
        title=title,
        x="epoch",
        y=[metric],
        groupby=wr.Config("family"),
        groupby_aggfunc="mean",
        groupby_rangefunc="minmax",
        max_runs_to_show=100,
    )


def _bar(title: str, metric: str, take: str) -> wr.BarPlot:
    """A family's bar: the largest, the smallest or the sum of its runs."""
    return wr.BarPlot(
        title=title,
        metrics=[metric],
        groupby=wr.Config("family"),
        groupby_aggfunc=take,
        max_runs_to_show=1000,
    )


def _parallel(title: str, parameters: Mapping[str, bool]) -> wr.ParallelCoordinatesPlot:
    """One line a run through its parameters to its score."""
    columns = [
        wr.ParallelCoordinatesPlotColumn(wr.Config(name), log=log or None)
        for name, log in parameters.items()
    ]
    columns.append(wr.ParallelCoordinatesPlotColumn(BEST))
    return wr.ParallelCoordinatesPlot(title=title, columns=columns)
