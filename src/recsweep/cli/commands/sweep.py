"""The command `sweep`: a whole study, and what to type next."""

from typing import Annotated

import typer

from recsweep.cli import steps
from recsweep.cli.commands.options import (
    ExperimentFile,
    Extra,
    Json,
    Notify,
    Quiet,
    Settings,
    Widen,
)
from recsweep.cli.console import command, hints, speak, waiting
from recsweep.cli.notify import notifying
from recsweep.cli.resuming import without, without_trials
from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment


def sweep(
    experiment: ExperimentFile,
    settings: Settings = None,
    trials: Extra = None,
    widen: Widen = None,
    keep_sealed: Annotated[
        bool, typer.Option("--keep-sealed", help="Leave the test closed: no verdicts yet.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
    notify: Notify = None,
) -> None:
    """Run a whole study: prepare, search, select, confirm, report.

    Finished work is not done again.
    """
    speak(json)
    with notifying(notify):
        with waiting("Reading the experiment", quiet):
            loaded = load_experiment(experiment, settings or ())
        steps.prepare(loaded, quiet)
        later = ("select", "report") if keep_sealed else ("select", "confirm", "report")
        folder = steps.search(loaded, steps.extra_trials(trials), quiet, later, widen or ())
        selection = steps.select(folder, quiet)
        if not keep_sealed:
            steps.confirm(folder, quiet, later=("report",))
        steps.report(folder, "en", quiet)
        sealed = (command("confirm", str(folder)), "open the sealed test, once you are done")
        longer = [name for name, choice in selection.families.items() if not choice.converged]
        lines = [
            (f"{folder}/report.html", "the page"),
            (f"{folder}/leaderboard.md", "the table, the configurations, the folds"),
            *([sealed] if keep_sealed else []),
            (
                command("reproduce", f"{folder}/best/{next(iter(selection.families))}.yaml"),
                "rebuild a configuration",
            ),
            more_of(loaded),
            *([longer_training(loaded, longer)] if longer else []),
            (command("dashboard", str(folder)), "a page to look closer"),
            (command("sync", str(folder)), "send the runs to W&B"),
        ]
        hints(*lines[: 2 if quiet else None])


def more_of(experiment: Experiment) -> tuple[str, str]:
    """What raises the budget of a finished study."""
    seconds = experiment.budget.seconds
    if seconds is None:
        more = "--trials", "+12"
        return command(*without_trials(), *more), "more trials for every tuned family"
    more = "--set", f"budget.seconds={2 * seconds:g}"
    return command(*without_trials(), *more), "more seconds for every tuned family"


def longer_training(experiment: Experiment, families: list[str]) -> tuple[str, str]:
    """What trains longer than a study whose training had not converged: a study of its own."""
    more = {"study": f"{experiment.study}_longer", "budget.epochs": 2 * experiment.budget.epochs}
    settings = [word for key, value in more.items() for word in ("--set", f"{key}={value}")]
    new = without("--trials", "--widen")  # which only a study that has begun takes
    return command(*new, *settings), f"not converged: {', '.join(families)}"
