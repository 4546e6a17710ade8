"""The commands `dashboard show` and `dashboard publish`."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from recsweep.cli import review
from recsweep.cli.commands.options import StudyFolder
from recsweep.cli.console import program, say


class ShowByDefault(TyperGroup):
    """`recsweep dashboard STUDY` is `recsweep dashboard show STUDY`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where none is named."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


dashboard = typer.Typer(
    name="dashboard",
    help="Watch a study on a page of this machine, or publish it to W&B.",
    cls=ShowByDefault,
    epilog="Example: recsweep dashboard results/default",
)


@dashboard.command("show", epilog="Example: recsweep dashboard results/default")
def show_dashboard(
    study: Annotated[
        Path, typer.Argument(help="A study's folder; it may not have begun.", show_default=True)
    ] = Path("results/default"),
    port: Annotated[
        int, typer.Option("--port", help="On loopback; the next free one is taken. 0: any.")
    ] = 8700,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard event files of its trials.")
    ] = False,
) -> None:
    """Serve a page that watches a study, while its sweep runs and afterwards, until Ctrl-C."""
    from recsweep.stages.dashboard import dashboard_stage

    dashboard_stage(
        study,
        port,
        (program("recsweep"), program("wandb")),
        tensorboard=tensorboard,
        on_start=lambda address: say(f"{study}: {address} (Ctrl-C stops)"),
    )


@dashboard.command("publish", epilog="Example: recsweep dashboard publish results/default")
def publish_dashboards(study: StudyFolder) -> None:
    """Publish the study's W&B workspace and report; a second time updates them.

    Without a login their definition is written to dashboards.json, for recsweep sync.
    """
    review.publish(study)
