"""The commands that do recorded work again: a configuration, a period, a journal."""

from pathlib import Path
from typing import Annotated

import typer

from recsweep.cli import rebuilding
from recsweep.cli.commands.options import Language, Quiet, StudyFolder


def reproduce(
    best: Annotated[
        Path, typer.Argument(help="results/<study>/best/<family>.yaml", show_default=False)
    ],
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Rebuild the sealed test's figures; counts as opening.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Rebuild a configuration from its file alone and compare every recorded figure."""
    rebuilding.reproduce(best, sealed, quiet)


def backtest(
    best: Annotated[
        Path,
        typer.Argument(
            help="results/<study>/best/<family>.yaml, of a confirmed study.", show_default=False
        ),
    ],
    every: Annotated[str, typer.Option("--every", help="A step: 12h, 7d, 2w.")] = "7d",
    search: Annotated[
        int | None,
        typer.Option(
            "--search",
            min=2,
            help="Search again at every step, with so many trials. [dim]Default: don't.[/]",
            show_default=False,
        ),
    ] = None,
    lang: Language = "en",
    quiet: Quiet = False,
) -> None:
    """How long does a configuration stay best? Walk it through the sealed test's period, step by
    step: never refitted, refitted at each step, and with --search searched again.
    """
    rebuilding.backtest(best, every, search, lang, quiet)


def replay(study: StudyFolder) -> None:
    """Derive every suggestion and stop of a study again from its journal; 1 if one differs."""
    rebuilding.replay(study)
