"""Our definition of a workspace and a report as objects of W&B's library."""

import hashlib
from collections.abc import Mapping
from typing import Any

import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws
from wandb_workspaces import expr

from recsweep.records.board import (
    Axis,
    BarPanel,
    Board,
    Grid,
    ImportancePanel,
    LinePanel,
    Panel,
    ParallelPanel,
    ScatterPanel,
)

WIDE, HALF, HIGH = 24, 12, 9  # of a grid 24 units wide


def workspace_of(board: Board, entity: str) -> ws.Workspace:
    """The study's trials, grouped by family, with a section for each of our grids."""
    sections = [
        ws.Section(name=grid.title, panels=_panels(grid), is_open=True, pinned=n == 0)
        for n, grid in enumerate(board.grids)
    ]
    return ws.Workspace(
        entity=entity,
        project=board.project,
        name=board.title,
        sections=sections,
        settings=ws.WorkspaceSettings(x_axis="epoch", max_runs=100),
        runset_settings=ws.RunsetSettings(
            filters=_filter(board.study, {}),
            groupby=[expr.Config("family")],
            order=[expr.Ordering(expr.Summary("best_value"), ascending=False)],
            pinned_columns=["summary:best_value", "summary:state", "summary:reason"],
        ),
    )


def report_of(board: Board, entity: str) -> wr.Report:
    """The verdict in words, its tables, and a panel grid for each of our grids."""
    first, *more = board.verdict
    blocks: list[Any] = [wr.CalloutBlock(first), *(wr.P(text) for text in more)]
    for title, table in board.tables.items():
        blocks += [wr.H2(title), wr.MarkdownBlock(table)]
    for grid in board.grids:
        blocks.append(wr.H2(grid.title))
        if grid.note:
            blocks.append(wr.P(grid.note))
        runs = wr.Runset(
            entity=entity,
            project=board.project,
            name=grid.title,
            filters=_filter(board.study, grid.where),
        )
        blocks.append(wr.PanelGrid(runsets=[runs], panels=_panels(grid)))
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


def _filter(study: str, where: Mapping[str, str]) -> str:
    parts = [f"Group = '{study}'", "JobType = 'trial'"]
    parts += [f"Config('{key}') = '{value}'" for key, value in where.items()]
    return " and ".join(parts)


def _panels(grid: Grid) -> list[Any]:
    """Two a row; what has many axes gets a row of its own."""
    panels, x, y = [], 0, 0
    for panel in grid.panels:
        wide = isinstance(panel, ParallelPanel)
        if wide and x:
            x, y = 0, y + HIGH
        width = WIDE if wide else HALF
        built = _panel(panel)
        built.layout = wr.Layout(x=x, y=y, w=width, h=HIGH)
        panels.append(built)
        x += width
        if x >= WIDE:
            x, y = 0, y + HIGH
    return panels


def _panel(panel: Panel) -> Any:
    match panel:
        case LinePanel():
            by = None if panel.by is None else wr.Config(panel.by)
            return wr.LinePlot(
                title=panel.title,
                x="epoch",
                y=list(panel.metrics),
                groupby=by,
                groupby_aggfunc="mean" if by else None,
                groupby_rangefunc="minmax" if by else None,
                max_runs_to_show=100,
            )
        case BarPanel():
            return wr.BarPlot(
                title=panel.title,
                metrics=[panel.metric],
                groupby=wr.Config(panel.by),
                groupby_aggfunc=panel.take,
                max_runs_to_show=1000,
            )
        case ScatterPanel():
            return wr.ScatterPlot(
                title=panel.title,
                x=_axis(panel.x),
                y=_axis(panel.y),
                log_x=panel.x.log or None,
                running_ymax=panel.best == "max" or None,
                running_ymin=panel.best == "min" or None,
            )
        case ParallelPanel():
            columns = [
                wr.ParallelCoordinatesPlotColumn(_axis(axis), log=axis.log or None)
                for axis in panel.axes
            ]
            return wr.ParallelCoordinatesPlot(title=panel.title, columns=columns)
        case ImportancePanel():
            return wr.ParameterImportancePlot(with_respect_to=panel.metric)


def _axis(axis: Axis) -> Any:
    return wr.Config(axis.name) if axis.section == "config" else wr.SummaryMetric(axis.name)
