"""The command line. Exit status: 0 done, 1 the work failed or was stopped, 2 bad input."""

import logging
import os
import shlex
import shutil
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment
from recsweep.errors import BadInput, RecsweepError, WorkFailed

if TYPE_CHECKING:
    from recsweep.stages.json_lines import JsonLines
    from recsweep.tracking.publish import Published


class ShowByDefault(TyperGroup):
    """`recsweep dashboard STUDY` is `recsweep dashboard show STUDY`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command in where none is named."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    name="recsweep",
    help="Fair, cross-validated hyperparameter studies of course recommenders.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
dashboard = typer.Typer(
    name="dashboard",
    help="Watch a study on a page of this machine, or publish it to W&B.",
    cls=ShowByDefault,
    epilog="Example: recsweep dashboard results/default",
)
app.add_typer(dashboard)
out = Console()
err = Console(stderr=True)

ExperimentFile = Annotated[
    Path, typer.Argument(help="An experiment, e.g. experiments/default.yaml.", show_default=False)
]
StudyFolder = Annotated[
    Path, typer.Argument(help="A study's folder, e.g. results/default.", show_default=False)
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key: --set budget.trials=4. May be repeated."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress; results and warnings only.")]
Json = Annotated[
    bool, typer.Option("--json", help="Progress and results as one JSON object a line.")
]
Language = Annotated[str, typer.Option("--lang", help="Language of the page: en or zh.")]
Extra = Annotated[
    str | None,
    typer.Option("--trials", help="Extend every tuned family: --trials +12.", metavar="+N"),
]


@app.command(epilog="Example: recsweep run experiments/default.yaml --set budget.trials=4")
def run(
    experiment: ExperimentFile,
    settings: Settings = None,
    trials: Extra = None,
    keep_sealed: Annotated[
        bool, typer.Option("--keep-sealed", help="Leave the test closed: no verdicts yet.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run a whole study: prepare, sweep, select, confirm, report.

    Finished work is not done again.
    """
    _speak(json)
    loaded = load_experiment(experiment, settings or ())
    _prepare(loaded, quiet)
    _sweep(loaded, _extra(trials), quiet)
    folder = _folder(loaded)
    family = _select(folder)
    if not keep_sealed:
        _confirm(folder, quiet)
    _report(folder, "en")
    _mirror(folder)
    _hints(
        (f"{folder}/report.html", "the page"),
        (f"{folder}/leaderboard.md", "the table, the configurations, the folds"),
        (
            _command("reproduce", f"{folder}/best/{family}.yaml"),
            "rebuild a configuration",
        ),
        (_command(*_without_trials(), "--trials", "+12"), "more trials for every tuned family"),
        (_command("dashboard", str(folder)), "a page to look closer"),
        (_command("sync", str(folder)), "send the runs to W&B"),
    )


@app.command(epilog="Example: recsweep prepare experiments/default.yaml")
def prepare(experiment: ExperimentFile, settings: Settings = None) -> None:
    """Read, check, clean, index and fingerprint the data; cut it into folds and a sealed test."""
    _prepare(load_experiment(experiment, settings or ()), quiet=False)


@app.command(epilog="Example: recsweep sweep experiments/default.yaml --trials +12")
def sweep(
    experiment: ExperimentFile,
    settings: Settings = None,
    trials: Extra = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan with an estimate, run nothing.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run or resume the trials of every family."""
    _speak(json)
    loaded = load_experiment(experiment, settings or ())
    if dry_run:
        _plan(loaded)
    else:
        _sweep(loaded, _extra(trials), quiet)


@app.command(epilog="Example: recsweep select results/default")
def select(study: StudyFolder) -> None:
    """Pick each family's configuration by the experiment's rule; write best/<family>.yaml."""
    _select(study)
    _mirror(study)


@app.command(epilog="Example: recsweep confirm results/default")
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
    _confirm(study, quiet, searches)
    _mirror(study)


@app.command(epilog="Example: recsweep report results/default --lang zh")
def report(
    study: StudyFolder,
    lang: Language = "en",
) -> None:
    """Write the leaderboard and the page, and show the leaderboard."""
    _report(study, lang)
    _mirror(study)


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

    def say(address: str) -> None:
        out.print(f"{study}: {address} (Ctrl-C stops)", markup=False, highlight=False)

    dashboard_stage(
        study, port, (_bin("recsweep"), _bin("wandb")), tensorboard=tensorboard, on_start=say
    )


@dashboard.command("publish", epilog="Example: recsweep dashboard publish results/default")
def publish_dashboards(study: StudyFolder) -> None:
    """Publish the study's W&B workspace and report; a second time updates them.

    Without a login their definition is written to dashboards.json, for recsweep sync.
    """
    _publish(study)


@app.command(epilog="Example: recsweep sync results/default")
def sync(
    study: StudyFolder,
    seconds: Annotated[
        float, typer.Option("--seconds", help="Give up after so long; the rest stays to be sent.")
    ] = 600,
) -> None:
    """Send runs that are files to the W&B server, and publish the study's workspace and report."""
    _sync(study, seconds)


@app.command(epilog="Example: recsweep compare results/default results/mars")
def compare(
    studies: Annotated[
        list[Path], typer.Argument(help="Studies' folders, the earlier first.", show_default=False)
    ],
    lang: Language = "en",
) -> None:
    """Did new data, another space or new code change the answer? The first study is held up."""
    _compare(studies, lang)


@app.command(epilog="Example: recsweep reproduce results/default/best/gru.yaml")
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
    _reproduce(best, sealed, quiet)


@app.command(epilog="Example: recsweep replay results/default")
def replay(study: StudyFolder) -> None:
    """Derive every suggestion and stop of a study again from its journal; 1 if one differs."""
    _replay(study)


def main() -> None:
    """Run the command line; a problem is one line, never a traceback."""
    logging.basicConfig(
        level=logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=err, show_time=False, show_path=False)],
    )
    warnings.simplefilter("ignore")  # of libraries; ours are log lines
    try:
        app()
    except RecsweepError as error:
        err.print(f"[red]recsweep:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(error.exit_status)


def _folder(experiment: Experiment) -> Path:
    from recsweep.stages.sweep import study_folder

    return study_folder(experiment, Path())


def _extra(trials: str | None) -> int:
    if trials is None:
        return 0
    if not trials.startswith("+") or not trials[1:].isdigit():
        raise BadInput(f"--trials {trials}: expected a plus and a number, e.g. --trials +12")
    return int(trials)


def _prepare(experiment: Experiment, quiet: bool) -> None:
    from recsweep.data.manifest import read_manifest
    from recsweep.data.prepare import prepare as prepare_data
    from recsweep.data.summary import summary_lines

    with out.status("Preparing the data"):
        dataset = prepare_data(experiment)
    _lines().say("prepared", folder=dataset.folder, fingerprint=dataset.fingerprint)
    if quiet:
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=36)
    for label, value in summary_lines(read_manifest(dataset.folder)):
        table.add_row(escape(label), escape(value))
    out.print(table)
    out.print(f"Prepared data: {dataset.folder}\n", highlight=False)


def _speak(json: bool) -> None:
    """With --json, nothing but its lines goes to standard output."""
    out.quiet = json


def _lines() -> "JsonLines":
    from recsweep.stages.json_lines import JsonLines

    return JsonLines(sys.stdout if out.quiet else None)


def _listeners(quiet: bool) -> list[Any]:
    from recsweep.search.progress import Progress

    if out.quiet:
        return [_lines()]
    return [] if quiet else [Progress(out)]


def _sweep(experiment: Experiment, extra: int, quiet: bool) -> None:
    from recsweep.stages.sweep import load_inputs
    from recsweep.stages.sweep import sweep as run_sweep

    inputs = load_inputs(experiment, Path())
    listeners = _listeners(quiet)
    try:
        _, session = run_sweep(inputs, extra_trials=extra, listeners=listeners)
    except KeyboardInterrupt:
        raise WorkFailed(
            f"stopped; every finished trial is kept. Resume: {_command(*_without_trials())}"
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


def _plan(experiment: Experiment) -> None:
    from recsweep.search.plan import plan
    from recsweep.stages.plan import plan_table
    from recsweep.stages.sweep import load_inputs

    inputs = load_inputs(experiment, Path())
    with out.status("Measuring one epoch of each family"):
        made = plan(experiment, inputs.spaces, inputs.folds)
    out.print(plan_table(made))


def _select(folder: Path) -> str:
    """Returns the first family's name."""
    from recsweep.stages.select import select_stage
    from recsweep.stages.tracked import track_selection

    selection = select_stage(folder, Path())
    track_selection(folder)
    _lines().selected(selection)
    out.print(
        f"Selected by {selection.rule}: {len(selection.families)} configurations in "
        f"{folder / 'best'}",
        highlight=False,
    )
    return next(iter(selection.families))


def _confirm(folder: Path, quiet: bool, searches: int | None = None) -> None:
    from recsweep.stages.confirm import confirm_stage
    from recsweep.stages.refit_progress import RefitProgress
    from recsweep.stages.searches import repeat_searches
    from recsweep.stages.tracked import track_confirmation
    from recsweep.stages.words import confirmation_lines

    listeners = _listeners(quiet)
    try:
        repeats = repeat_searches(folder, Path(), searches, listeners)
    except KeyboardInterrupt:
        raise WorkFailed(
            f"stopped; every finished trial is kept. Resume: {_command(*_without_trials())}"
        ) from None
    with RefitProgress(out, quiet) as progress:
        confirmed = confirm_stage(folder, Path(), repeats=repeats, on_end=progress)
    track_confirmation(folder, confirmed)
    _lines().confirmed(confirmed.confirmation, confirmed.opened)
    for line in confirmation_lines(confirmed, folder):
        out.print(line, markup=False, highlight=False, soft_wrap=True)


def _reproduce(best: Path, sealed: bool, quiet: bool) -> None:
    from recsweep.stages.refit_progress import RefitProgress
    from recsweep.stages.reproduce import reproduce_stage
    from recsweep.stages.tracked import track_reproduction
    from recsweep.stages.words import failure, reproduction_lines, reproduction_table

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


def _replay(folder: Path) -> None:
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


def _report(folder: Path, lang: str) -> None:
    from recsweep.reporting.leaderboard import terminal
    from recsweep.reporting.leaderboard import warnings as leaderboard_warnings
    from recsweep.stages.report import report_stage
    from recsweep.stages.tracked import publish_report, track_report

    reported = report_stage(folder, Path(), lang)
    track_report(folder, reported)
    publish_report(folder, reported)
    _lines().say("reported", page=reported.page, leaderboard=folder / "leaderboard.md")
    out.print()
    out.print(terminal(reported.study, reported.selection))
    for warning in leaderboard_warnings(reported.study, reported.selection):
        out.print(f"[yellow]![/] {warning}", highlight=False)
    out.print()


def _sync(folder: Path, seconds: float) -> None:
    from recsweep.records.board import NAME as BOARD
    from recsweep.records.board import read_board
    from recsweep.tracking.publish import publish
    from recsweep.tracking.wandb_sync import sync as sync_runs

    with out.status("Sending the runs to W&B"):
        synced = sync_runs(folder, seconds)
    out.print(f"{synced.sent} runs were sent to W&B." if synced.sent else "Every run was sent.")
    if (folder / BOARD).exists():
        _published(publish(read_board(folder)))


def _publish(folder: Path) -> None:
    from recsweep.records.board import NAME
    from recsweep.stages.report import define_board
    from recsweep.tracking.publish import publish
    from recsweep.tracking.wandb_mode import logged_in

    board = define_board(folder)
    if logged_in():
        _published(publish(board))
        return
    out.print(f"Nobody is logged in to W&B: {folder / NAME} is written.", highlight=False)
    _hints((_command("sync", str(folder)), "sends the runs and publishes it"))


def _published(published: "Published") -> None:
    _hints(
        (published.workspace, "the workspace" + (", updated" if published.updated else "")),
        (published.report, "the report with the verdict"),
    )


def _compare(folders: list[Path], lang: str) -> None:
    from recsweep.reporting.compare_view import CompareView
    from recsweep.stages.compare import compare_stage, comparison_lines, comparison_table

    compared = compare_stage(folders, lang)
    for change in compared.changes:
        view = CompareView(change, lang)
        for line in comparison_lines(view):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        out.print(comparison_table(view))
    _hints((str(compared.page), "the page"))


def _mirror(folder: Path) -> None:
    from recsweep.stages.mirror import mirror_study

    mirror_study(folder)


def _hints(*lines: tuple[str, str]) -> None:
    """Where the results are and what to type next."""
    width = max(len(where) for where, _ in lines)
    for where, what in lines:
        out.print(f"{where:{width}}  # {what}", markup=False, highlight=False, soft_wrap=True)


def _command(*arguments: str) -> str:
    return f"{_bin('recsweep')} {shlex.join(arguments)}"


def _without_trials() -> list[str]:
    """This command's arguments; an extension is asked for once."""
    arguments = sys.argv[1:]
    if "--trials" in arguments:
        at = arguments.index("--trials")
        del arguments[at : at + 2]
    return [a for a in arguments if not a.startswith("--trials=")]


def _bin(program: str) -> str:
    """A program as the user can type it: with its folder, unless that is on the PATH."""
    beside = Path(sys.executable).with_name(program)
    if shutil.which(program) or not beside.exists():
        return program
    return os.path.relpath(beside)
