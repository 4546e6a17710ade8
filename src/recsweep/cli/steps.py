"""A study's stages, each with what it prints. What is slow to import waits until it is used."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

import recsweep
from recsweep.cli.console import (
    command,
    counted,
    hints,
    json_lines,
    out,
    say,
    sweep_listeners,
    waiting,
    warn,
)
from recsweep.cli.resuming import resumable
from recsweep.config.schema import Experiment
from recsweep.errors import BadInput, WorkFailed

if TYPE_CHECKING:
    from recsweep.records.selection import Selection


def extra_trials(trials: str | None) -> int:
    """What `--trials +N` says.

    Raises:
        BadInput: it says something else.
    """
    if trials is None:
        return 0
    if not trials.startswith("+") or not trials[1:].isdigit():
        raise BadInput(f"--trials {trials}: expected a plus and a number, e.g. --trials +12")
    return int(trials)


def prepare(experiment: Experiment, quiet: bool) -> None:
    """Prepare the data and sum up what was read and dropped.

    Raises:
        BadInput: see `prepare`; or a fold or the sealed test could not be scored.
    """
    with waiting("Preparing the data", quiet):
        from recsweep.cli.prepare_lines import caveats, summary_lines
        from recsweep.data.manifest import read_manifest
        from recsweep.data.texts import label_counts
        from recsweep.stages.confirm.scorable import check_test
        from recsweep.tasks.support import fold_support

        dataset = recsweep.prepare(experiment)
    json_lines().say("prepared", folder=dataset.folder, fingerprint=dataset.fingerprint)
    manifest = read_manifest(dataset.folder)
    for caveat in caveats(manifest):
        warn(caveat)
    if not quiet:
        table = Table.grid(padding=(0, 2))
        table.add_column(max_width=36)
        of_events = experiment.data.kind == "events"
        support = fold_support(dataset, experiment) if of_events else ()
        labels = label_counts(dataset)
        lines = summary_lines(manifest, dataset.development, support, labels)
        if (vectors := dataset.word_vectors) is not None:
            held = f"{len(vectors):,} words and characters of {vectors.width - 1} numbers each"
            lines.append(("word vectors", held))
        for label, value in lines:
            table.add_row(escape(label), escape(value))
        out.print(table)
        say(f"Prepared data: {dataset.folder}\n")
    check_test(dataset, experiment)


def search(
    experiment: Experiment,
    extra: int,
    quiet: bool,
    later: Sequence[str] = (),
    widen: Sequence[str] = (),
) -> Path:
    """Run or resume the trials, say what the sealed test can show of what they found, and give back
    the study's folder. `later` names the stages that follow.

    Raises:
        WorkFailed: it was stopped; says how to resume.
    """
    from recsweep.cli.search_waits import SearchWaits

    with resumable(), SearchWaits(quiet) as waits:
        study = recsweep.run_search(
            experiment,
            extra_trials=extra,
            listeners=[waits.begun, *sweep_listeners(quiet, later), waits.ended],
            later=later,
            widen=widen,
        )
    session = study.session
    if session is None:
        more = (
            "--trials +N adds more."
            if experiment.budget.seconds is None
            else f"no family has any of its {experiment.budget.seconds:g} s left; "
            "--set budget.seconds=N gives more."
        )
        say(f"Every trial of this study is finished; {more}")
        return study.folder
    if not quiet:
        say(
            f"Searched for {session.wall_seconds:.0f} s with {counted(session.workers, 'worker')} "
            f"(Ray started in {session.start_seconds:.0f} s): {counted(session.trials, 'trial')}, "
            f"{session.busy_seconds:.0f} s of fitting and evaluating, "
            f"efficiency {session.efficiency:.2f}.\n"
        )
    if (end := study.early_end) is not None and not quiet:
        say(
            f"Ended by stopping.study after {end.trials} of {counted(end.budget, 'trial')} a "
            "family: in none a gain that matters is likely any more.\n"
        )
    if "confirm" not in later:  # where the test is opened at once, that says what it can show
        from recsweep.cli.power_lines import say_power

        with suppress(WorkFailed):  # a family has no complete trial: `select` says so
            if (power := study.power) is not None:
                say_power(power, "from the folds", quiet)
    return study.folder


def select(folder: Path, quiet: bool = False) -> "Selection":
    """Select, and say by which rule."""
    with waiting("Selecting the configurations", quiet):
        selection = recsweep.select(folder)
    json_lines().selected(selection)
    if not quiet:
        told = counted(len(selection.families), "configuration")
        say(f"Selected by {selection.rule}: {told} in {folder / 'best'}")
    return selection


def fuse(folder: Path, count: int, quiet: bool) -> None:
    """Fuse, and say what the ensemble is made of and what it costs."""
    from recsweep.cli.fuse_lines import fuse_lines
    from recsweep.cli.refit_progress import RefitProgress

    with RefitProgress(out, quiet, "trials") as progress:
        fused = recsweep.fuse(folder, count=count, on_end=progress.rebuilt)
    say(*fuse_lines(fused))
    hints(
        (command("confirm", str(folder)), "opens the sealed test: is it better?"),
        (command("fit", str(fused.path), "--out", f"models/{fused.best.study}"), "a model of it"),
    )


def confirm(
    folder: Path, quiet: bool, searches: int | None = None, later: Sequence[str] = ()
) -> None:
    """Search again where asked to, open the sealed test, and print the verdicts.

    Raises:
        WorkFailed: a repeated search was stopped; says how to resume.
    """
    from recsweep.cli.confirmation_lines import confirmation_lines
    from recsweep.cli.power_lines import say_power
    from recsweep.cli.refit_progress import RefitProgress

    with RefitProgress(out, quiet, later=later) as progress, resumable():
        confirmed = recsweep.confirm(
            folder,
            searches=searches,
            listeners=[progress.give_way, *sweep_listeners(quiet)],
            before_opening=lambda power: say_power(power, "from the folds", quiet),
            on_end=progress,
        )
    json_lines().confirmed(confirmed.confirmation, confirmed.opened)
    say(*confirmation_lines(confirmed, folder, short=quiet))


def report(folder: Path, lang: str, quiet: bool = False) -> None:
    """Write the page and the leaderboard, and print the leaderboard, or how many caveats it has."""
    with waiting("Writing the report", quiet):
        from recsweep.reporting.leaderboard import terminal
        from recsweep.reporting.leaderboard import warnings as leaderboard_warnings

        reported = recsweep.report(folder, lang)
    json_lines().say("reported", page=reported.page, leaderboard=folder / "leaderboard.md")
    caveats = leaderboard_warnings(reported.study, reported.selection)
    if quiet:
        if caveats:
            told = counted(len(caveats), "caveat is", "caveats are")
            say(f"{told} in {folder / 'leaderboard.md'}", warning=True)
        return
    out.print()
    out.print(terminal(reported.study, reported.selection))
    for caveat in caveats:
        say(caveat, warning=True)
    out.print()
    say(recsweep.load_study(folder).answer.sentence)  # last, so that it stands where one looks
    out.print()


def portrait(folder: Path, family: str | None, clusters: int | None, quiet: bool) -> None:
    """Portray learners, renew the page, and print each group."""
    from recsweep.cli.portrait_table import portrait_lines, portrait_table
    from recsweep.cli.refit_progress import RefitProgress
    from recsweep.records.portrait import portrait_path, vectors_path
    from recsweep.reporting.page import page_name

    with RefitProgress(out, quiet, "epochs") as progress:
        portrayed = recsweep.portrait(folder, family, clusters=clusters, on_epoch=progress.trained)
    found, of_study = portrayed.portrait, (folder / "study.json").exists()
    say(*portrait_lines(portrayed, refitted=of_study))
    out.print(portrait_table(found))
    place = folder if of_study else folder.parent
    hints(
        *([(f"{folder / page_name('en')}#portraits", "the page, with the picture")] * of_study),
        (str(portrait_path(place, found.family)), "the groups"),
        (str(vectors_path(place, found.family)), "learners' ids (personal data), vectors"),
    )
