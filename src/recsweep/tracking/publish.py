"""Publishing a study's dashboards: what is there already is updated, nothing is made twice.

The server is asked what it has: the workspace by a name made of project and study, the report by
its title. So it makes no difference who published before, or from which machine.
"""

from dataclasses import dataclass
from typing import Any

import wandb
from wandb_workspaces.workspaces.internal import View

from recsweep.errors import BadInput, WorkFailed
from recsweep.records.board import Board
from recsweep.tracking.boards import report_of, view_name, workspace_of
from recsweep.tracking.wandb_mode import trouble

SECONDS = 20  # for one answer


@dataclass(frozen=True, slots=True)
class Published:
    """Where the two are."""

    workspace: str
    report: str
    updated: bool  # False: neither was there before


def publish(board: Board) -> Published:
    """Build both from their definition and save them.

    Raises:
        BadInput: nobody is logged in, or the server refuses the key.
        WorkFailed: the server did not take them.
    """
    if why := trouble():
        raise BadInput(f"nothing was published: {why}")
    wandb.setup(wandb.Settings(silent=True))
    try:
        api = wandb.Api(timeout=SECONDS)
        entity = str(api.default_entity)
        if board.project not in {project.name for project in api.projects(entity)}:
            api.create_project(board.project, entity)
        view, report_id = _workspace_id(board, entity), _report_id(api, board, entity)
        workspace = workspace_of(board, entity)
        workspace._internal_name, workspace._internal_id = view_name(board), view or ""
        report = report_of(board, entity)
        report.id = report_id or ""
        workspace.save()
        report.save()
    except Exception as error:  # the client raises whatever its transport does
        raise WorkFailed(
            f"W&B did not take the dashboards of {board.study} ({_first_line(error)}); "
            "recsweep sync tries again"
        ) from error
    return Published(str(workspace.url), str(report.url), updated=bool(view or report_id))


def _workspace_id(board: Board, entity: str) -> str | None:
    try:
        return str(View.from_name(entity, board.project, view_name(board)).id)
    except ValueError:  # no such project, or no such view in it
        return None


def _report_id(api: Any, board: Board, entity: str) -> str | None:
    try:
        for report in api.reports(f"{entity}/{board.project}"):
            if report.display_name == board.title:
                return str(report.id)
    except ValueError:  # no such project
        return None
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
