"""Looking at studies and sending them on, each with what it prints."""

from pathlib import Path
from typing import TYPE_CHECKING

import recsweep
from recsweep.cli.console import command, counted, hints, out, say, waiting

if TYPE_CHECKING:
    from recsweep.tracking.publish import Published


def sync(folder: Path, seconds: float) -> None:
    """Send runs that are files, and publish what is defined."""
    from recsweep.mirror.study import mirror_study
    from recsweep.records.board import NAME as BOARD
    from recsweep.records.board import read_board
    from recsweep.tracking.publish import publish
    from recsweep.tracking.wandb_sync import sync as sync_runs

    with waiting("Sending the runs to W&B"):
        synced = sync_runs(folder, seconds)
    mirror_study(folder)  # it tells which were sent
    told = counted(synced.sent, "run was", "runs were")
    say(f"{told} sent to W&B." if synced.sent else "Every run was sent.")
    if (folder / BOARD).exists():
        _published(publish(read_board(folder)))


def publish(folder: Path) -> None:
    """Publish the workspace and the report, or write their definition."""
    from recsweep.records.board import NAME
    from recsweep.stages.report import define_board
    from recsweep.tracking.publish import publish
    from recsweep.tracking.wandb_mode import logged_in

    board = define_board(folder)
    if logged_in():
        _published(publish(board))
        return
    say(f"Nobody is logged in to W&B: {folder / NAME} is written.")
    hints((command("sync", str(folder)), "sends the runs and publishes it"))


def _published(published: "Published") -> None:
    hints(
        (published.workspace, "the workspace" + (", updated" if published.updated else "")),
        (published.report, "the report with the verdict"),
    )


def verdict(folders: list[Path]) -> None:
    """Print what several logs say together."""
    from recsweep.stages.verdict import statement_lines

    say(*statement_lines(recsweep.verdict(*folders)))


def methods(folder: Path) -> None:
    """Print the methods section, as Markdown and nothing else."""
    out.print(recsweep.methods(folder), markup=False, highlight=False, soft_wrap=True)


def compare(folders: list[Path], lang: str) -> None:
    """Print how studies differ, and write the page."""
    from recsweep.reporting.compare.view import CompareView
    from recsweep.stages.compare import comparison_lines, comparison_table

    with waiting("Comparing the studies"):
        compared = recsweep.compare(*folders, lang=lang)
    for change in compared.changes:
        view = CompareView(change, lang)
        say(*comparison_lines(view))
        out.print(comparison_table(view))
    hints((str(compared.page), "the page"))
