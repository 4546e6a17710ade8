"""The commands that run one stage of a study, from what the one before left on disk."""

from typing import Annotated

import typer

from recsweep.cli import steps
from recsweep.cli.commands.options import (
    ExperimentFile,
    Extra,
    Json,
    Language,
    Notify,
    Quiet,
    Settings,
    StudyFolder,
    Widen,
)
from recsweep.cli.console import speak
from recsweep.cli.notify import notifying
from recsweep.config.files import load_experiment


def search(
    experiment: ExperimentFile,
    settings: Settings = None,
    trials: Extra = None,
    widen: Widen = None,
    quiet: Quiet = False,
    json: Json = False,
    notify: Notify = None,
) -> None:
    """Run or resume the trials of every family."""
    speak(json)
    with notifying(notify):
        loaded = load_experiment(experiment, settings or ())
        steps.search(loaded, steps.extra_trials(trials), quiet, widen=widen or ())


def select(study: StudyFolder) -> None:
    """Pick each family's configuration by the experiment's rule; write best/<family>.yaml."""
    steps.select(study)


def fuse(
    study: StudyFolder,
    candidates: Annotated[
        int, typer.Option("--candidates", min=1, help="Of each family, so many of its best trials.")
    ] = 2,
    quiet: Quiet = False,
) -> None:
    """Make an ensemble of the study's best trials, chosen on the folds; write best/ensemble.yaml.

    The next confirmation takes it along.
    """
    steps.fuse(study, candidates, quiet)


def confirm(
    study: StudyFolder,
    searches: Annotated[
        int | None,
        typer.Option(
            "--searches",
            min=1,
            help="Search this often in all, so that verdicts speak of families. "
            "[dim]Default: as often as before.[/]",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Refit the selected with several seeds and open the sealed test; write verdicts.json."""
    steps.confirm(study, quiet, searches)


def report(
    study: StudyFolder,
    lang: Language = "en",
) -> None:
    """Write the leaderboard and the page, and show the leaderboard."""
    steps.report(study, lang)


def portrait(
    study: StudyFolder,
    family: Annotated[
        str | None,
        typer.Option("--family", help="Its name in the study. [dim]Default: the best network.[/]"),
    ] = None,
    clusters: Annotated[
        int | None,
        typer.Option(
            "--clusters",
            min=2,
            help="So many groups. [dim]Default: chosen by silhouette score.[/]",
            show_default=False,
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Portray learners: group what a refitted network makes of them, and say what sets each apart.

    Of a study it reads the development period only. Given a bundle, its model is portrayed.
    portraits/<family>.parquet holds learners' ids.
    """
    steps.portrait(study, family, clusters, quiet)
