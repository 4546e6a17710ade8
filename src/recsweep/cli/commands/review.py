"""The commands that look at finished studies and send them on."""

from pathlib import Path
from typing import Annotated

import typer

from recsweep.cli import review
from recsweep.cli.commands.options import Language, StudyFolder


def sync(
    study: StudyFolder,
    seconds: Annotated[
        float, typer.Option("--seconds", help="Give up after so long; the rest stays to be sent.")
    ] = 600,
) -> None:
    """Send runs that are files to the W&B server, and publish the study's workspace and report."""
    review.sync(study, seconds)


def compare(
    studies: Annotated[
        list[Path], typer.Argument(help="Studies' folders, the earlier first.", show_default=False)
    ],
    lang: Language = "en",
) -> None:
    """Did another space or new code change the answer? The first study is the baseline."""
    review.compare(studies, lang)


def verdict(
    studies: Annotated[
        list[Path],
        typer.Argument(help="Studies' folders, each on a log of its own.", show_default=False),
    ],
) -> None:
    """One statement over several logs: random effects, with each log's interval beside it."""
    review.verdict(studies)


def methods(study: StudyFolder) -> None:
    """Print a paragraph and tables for a paper, as Markdown, from the study's record."""
    review.methods(study)
