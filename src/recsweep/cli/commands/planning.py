"""Before a search: the commands that read a log, count and estimate."""

from pathlib import Path
from typing import Annotated

import typer

from recsweep.cli import planning, steps
from recsweep.cli.commands.options import ExperimentFile, Settings
from recsweep.config.files import load_experiment
from recsweep.stages.init.words import Role


def init(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="A log, and tables of courses and learners, if any.", show_default=False
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="[dim]Default: experiments/<name of the log>.yaml.[/]"),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; tell what was guessed.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over the file there is.")] = False,
    user: Annotated[str | None, typer.Option("--user", help="The column of learners.")] = None,
    item: Annotated[str | None, typer.Option("--item", help="The column of courses.")] = None,
    time: Annotated[str | None, typer.Option("--time", help="The column of times.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="The column of event types.")] = None,
    timezone: Annotated[
        str | None, typer.Option("--timezone", help="Of times without one, e.g. Asia/Shanghai.")
    ] = None,
) -> None:
    """Look at your own log and write an experiment that reads it."""
    given: dict[Role, str | None] = {"user": user, "item": item, "time": time, "type": kind}
    columns = {role: name for role, name in given.items() if name is not None}
    planning.init(files, output, columns, timezone, yes=yes, force=force)


def prepare(experiment: ExperimentFile, settings: Settings = None) -> None:
    """Read, check, clean, index and fingerprint the data; cut it into folds and a sealed test."""
    steps.prepare(load_experiment(experiment, settings or ()), quiet=False)


def plan(experiment: ExperimentFile, settings: Settings = None) -> None:
    """Print what a sweep would do, with an estimate of time and memory; run nothing."""
    planning.plan(load_experiment(experiment, settings or ()))


def space(
    which: Annotated[str, typer.Argument(help="A family, or a space file.", show_default=False)],
    studies: Annotated[
        list[Path] | None,
        typer.Argument(help="Studies' folders. [dim]Default: all in results/.[/]"),
    ] = None,
    task: Annotated[str, typer.Option("--task", help="What the family is asked.")] = "next_item",
) -> None:
    """Print a search space with what earlier studies found in each range."""
    planning.space(which, studies or (), task)
