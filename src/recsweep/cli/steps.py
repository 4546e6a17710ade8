"""A study's stages, each with what it prints. What is slow to import waits until it is used."""

from collections.abc import Iterable
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from recsweep.cli.console import command, hints, json_lines, out, sweep_listeners, without_trials
from recsweep.config.schema import Experiment
from recsweep.errors import BadInput, WorkFailed


def folder_of(experiment: Experiment) -> Path:
    """`results/<study>`."""
    from recsweep.stages.sweep.stage import study_folder

    return study_folder(experiment, Path())


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
    """Prepare the data and sum up what was read and dropped."""
    from recsweep.data.manifest import read_manifest
    from recsweep.data.prepare import prepare as prepare_data
    from recsweep.data.summary import summary_lines

    with out.status("Preparing the data"):
        dataset = prepare_data(experiment)
    json_lines().say("prepared", folder=dataset.folder, fingerprint=dataset.fingerprint)
    if quiet:
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=36)
    for label, value in summary_lines(read_manifest(dataset.folder)):
        table.add_row(escape(label), escape(value))
    out.print(table)
    out.print(f"Prepared data: {dataset.folder}\n", highlight=False)


def sweep(experiment: Experiment, extra: int, quiet: bool, *, say_power: bool = True) -> None:
    """Run or resume the trials; at the end, say what the sealed test can show with them.

    Raises:
        WorkFailed: it was stopped; says how to resume.
    """
    from recsweep.cli.power_lines import power_lines
    from recsweep.stages.confirm.power import power_of_study
    from recsweep.stages.confirm.searches import own_search
    from recsweep.stages.sweep.stage import load_inputs
    from recsweep.stages.sweep.stage import sweep as run_sweep

    inputs = load_inputs(experiment, Path())
    try:
        study, session = run_sweep(inputs, extra_trials=extra, listeners=sweep_listeners(quiet))
    except KeyboardInterrupt:
        raise WorkFailed(
            f"stopped; every finished trial is kept. Resume: {command(*without_trials())}"
        ) from None
    if session is None:
        out.print("Every trial of this study is finished; --trials +N adds more.")
        return
    out.print(
        f"Searched for {session.wall_seconds:.0f} s with {session.workers} workers "
        f"(Ray started in {session.start_seconds:.0f} s): {session.trials} trials, "
        f"{session.busy_seconds:.0f} s of fitting and evaluating, "
        f"efficiency {session.efficiency:.2f}.\n",
        highlight=False,
    )
    if not say_power:
        return
    try:
        selected = own_search(study, inputs.folder).selected
    except WorkFailed:  # a family has no complete trial: `select` says so
        return
    found = power_of_study(study, selected, inputs.folder, Path())
    json_lines().power(found)
    _say(power_lines(found, "from the folds"))


def plan(experiment: Experiment) -> None:
    """Print what a sweep would do."""
    from recsweep.cli.plan_table import plan_table
    from recsweep.cli.power_lines import power_lines
    from recsweep.data.manifest import read_manifest
    from recsweep.search.plan import plan
    from recsweep.stages.confirm.power import power_of_plan
    from recsweep.stages.sweep.stage import load_inputs

    inputs = load_inputs(experiment, Path())
    with out.status("Measuring one epoch of each family"):
        made = plan(inputs.experiment, inputs.spaces, inputs.folds)
    out.print(plan_table(made))
    kinds = {name: space.family for name, space in inputs.spaces.items()}
    found = power_of_plan(inputs.experiment, made, kinds, read_manifest(inputs.dataset.folder))
    _say(power_lines(found, "from one epoch of the defaults"))


def select(folder: Path) -> str:
    """Select, and give back the first family's name."""
    from recsweep.stages.select.stage import select_stage
    from recsweep.stages.tracked import track_selection

    selection = select_stage(folder, Path())
    track_selection(folder)
    json_lines().selected(selection)
    n = len(selection.families)
    out.print(
        f"Selected by {selection.rule}: {n} configuration{'s' * (n != 1)} in {folder / 'best'}",
        highlight=False,
    )
    return next(iter(selection.families))


def confirm(folder: Path, quiet: bool, searches: int | None = None) -> None:
    """Search again where asked to, open the sealed test, and print the verdicts.

    Raises:
        WorkFailed: a repeated search was stopped; says how to resume.
    """
    from recsweep.cli.confirmation_lines import confirmation_lines
    from recsweep.cli.power_lines import power_lines
    from recsweep.cli.refit_progress import RefitProgress
    from recsweep.stages.confirm.power import Power
    from recsweep.stages.confirm.searches import repeat_searches
    from recsweep.stages.confirm.stage import confirm_stage
    from recsweep.stages.tracked import track_confirmation

    try:
        repeats = repeat_searches(folder, Path(), searches, sweep_listeners(quiet))
    except KeyboardInterrupt:
        raise WorkFailed(
            f"stopped; every finished trial is kept. Resume: {command(*without_trials())}"
        ) from None

    def before_opening(power: Power) -> None:
        json_lines().power(power)
        _say(power_lines(power, "from the folds"))

    with RefitProgress(out, quiet) as progress:
        confirmed = confirm_stage(
            folder, Path(), repeats=repeats, before_opening=before_opening, on_end=progress
        )
    track_confirmation(folder, confirmed)
    json_lines().confirmed(confirmed.confirmation, confirmed.opened)
    for line in confirmation_lines(confirmed, folder):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def report(folder: Path, lang: str) -> None:
    """Write the page and the leaderboard, and print the leaderboard."""
    from recsweep.reporting.leaderboard import terminal
    from recsweep.reporting.leaderboard import warnings as leaderboard_warnings
    from recsweep.stages.report import report_stage
    from recsweep.stages.tracked import publish_report, track_report

    reported = report_stage(folder, Path(), lang)
    track_report(folder, reported)
    publish_report(folder, reported)
    json_lines().say("reported", page=reported.page, leaderboard=folder / "leaderboard.md")
    out.print()
    out.print(terminal(reported.study, reported.selection))
    for warning in leaderboard_warnings(reported.study, reported.selection):
        out.print(f"[yellow]![/] {warning}", highlight=False)
    out.print()


def portrait(folder: Path, family: str | None, clusters: int | None, quiet: bool) -> None:
    """Portray learners, renew the page, and print each group."""
    from recsweep.cli.portrait_table import portrait_lines, portrait_table
    from recsweep.cli.refit_progress import RefitProgress
    from recsweep.records.portrait import portrait_path, vectors_path
    from recsweep.reporting.page import page_name
    from recsweep.stages.portrait.stage import portrait_stage
    from recsweep.stages.report import report_stage
    from recsweep.stages.tracked import track_portrait

    with RefitProgress(out, quiet, "epochs") as progress:
        portrayed = portrait_stage(
            folder, Path(), family=family, clusters=clusters, on_epoch=progress.trained
        )
    found = portrayed.portrait
    report_stage(folder, Path())
    track_portrait(folder, found)
    for line in portrait_lines(portrayed):
        out.print(line, markup=False, highlight=False)
    out.print(portrait_table(found))
    hints(
        (f"{folder / page_name('en')}#portraits", "the page, with the picture"),
        (str(portrait_path(folder, found.family)), "the groups"),
        (str(vectors_path(folder, found.family)), "learners' ids (personal data), vectors"),
    )


def reproduce(best: Path, sealed: bool, quiet: bool) -> None:
    """Rebuild a configuration and print every figure beside its record.

    Raises:
        WorkFailed: a figure differs.
    """
    from recsweep.cli.confirmation_lines import failure, reproduction_lines, reproduction_table
    from recsweep.cli.refit_progress import RefitProgress
    from recsweep.stages.reproduce.stage import reproduce_stage
    from recsweep.stages.tracked import track_reproduction

    with RefitProgress(out, quiet) as progress:
        reproduction = reproduce_stage(
            best, Path(), sealed=sealed, on_epoch=progress.epoch, on_end=progress
        )
    track_reproduction(best, reproduction)
    out.print(reproduction_table(reproduction))
    for line in reproduction_lines(reproduction):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    if not reproduction.passed:
        raise WorkFailed(failure(reproduction))
    out.print(f"{len(reproduction.figures)} of {len(reproduction.figures)} figures agree.")


def replay(folder: Path) -> None:
    """Derive a journal again.

    Raises:
        WorkFailed: a line differs.
    """
    from recsweep.search.replay import replay as derive

    with out.status("Replaying the journal"):
        found = derive(folder)
    if found.difference is not None:
        raise WorkFailed(f"{folder}: {found.difference}")
    out.print(
        f"{found.suggestions} suggestions and {found.ends} ends of trials, in {found.sessions} "
        f"sessions and {found.lines} lines, follow from the rules.",
        highlight=False,
    )


def mirror(folder: Path) -> None:
    """Bring the study's mirror up to date, where it has one."""
    from recsweep.mirror.study import mirror_study

    mirror_study(folder)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        out.print(line, markup=False, highlight=False, soft_wrap=True)
