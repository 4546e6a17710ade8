"""The commands: their arguments, and what follows what."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import recsweep
from recsweep.cli import models, review, steps
from recsweep.cli.console import (
    command,
    hints,
    out,
    program,
    speak,
    waiting,
    without_trials,
)
from recsweep.cli.notify import notifying
from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment
from recsweep.stages.init.words import Role

DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


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
Widen = Annotated[
    list[str] | None,
    typer.Option(
        "--widen",
        metavar="FAMILY.PARAMETER=LOW:HIGH",
        help="Widen a range of a study that has begun, for its further trials. May be repeated.",
    ),
]
Notify = Annotated[
    str | None,
    typer.Option(
        "--notify",
        metavar="CMD",
        help="Run this in a shell at the end, however it ends: RECSWEEP_STATUS is the exit status.",
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"recsweep {recsweep.__version__}", highlight=False)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print it and exit."),
    ] = False,
) -> None:
    """Fair, cross-validated hyperparameter studies of course recommenders."""


@app.command(epilog="Example: recsweep init log.csv courses.csv learners.csv")
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
    steps.init(files, output, columns, timezone, yes=yes, force=force)


@app.command(epilog="Example: recsweep sweep experiments/default.yaml --set budget.trials=4")
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
        with waiting("Reading the experiment"):
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
    return command(*without_trials(), *settings), f"not converged: {', '.join(families)}"


@app.command(epilog="Example: recsweep prepare experiments/default.yaml")
def prepare(experiment: ExperimentFile, settings: Settings = None) -> None:
    """Read, check, clean, index and fingerprint the data; cut it into folds and a sealed test."""
    steps.prepare(load_experiment(experiment, settings or ()), quiet=False)


@app.command(epilog="Example: recsweep plan experiments/default.yaml")
def plan(experiment: ExperimentFile, settings: Settings = None) -> None:
    """Print what a sweep would do, with an estimate of time and memory; run nothing."""
    steps.plan(load_experiment(experiment, settings or ()))


@app.command(epilog="Example: recsweep space gru")
def space(
    which: Annotated[str, typer.Argument(help="A family, or a space file.", show_default=False)],
    studies: Annotated[
        list[Path] | None,
        typer.Argument(help="Studies' folders. [dim]Default: all in results/.[/]"),
    ] = None,
    task: Annotated[str, typer.Option("--task", help="What the family is asked.")] = "next_item",
) -> None:
    """Print a search space with what earlier studies found in each range."""
    steps.space(which, studies or (), task)


@app.command(epilog="Example: recsweep search experiments/default.yaml --trials +12")
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


@app.command(epilog="Example: recsweep select results/default")
def select(study: StudyFolder) -> None:
    """Pick each family's configuration by the experiment's rule; write best/<family>.yaml."""
    steps.select(study)


@app.command(epilog="Example: recsweep fuse results/default")
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
    steps.confirm(study, quiet, searches)


@app.command(epilog="Example: recsweep report results/default --lang zh")
def report(
    study: StudyFolder,
    lang: Language = "en",
) -> None:
    """Write the leaderboard and the page, and show the leaderboard."""
    steps.report(study, lang)


@app.command(epilog="Example: recsweep portrait results/default --family wide_deep")
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
        study, port, (program("recsweep"), program("wandb")), tensorboard=tensorboard, on_start=say
    )


@dashboard.command("publish", epilog="Example: recsweep dashboard publish results/default")
def publish_dashboards(study: StudyFolder) -> None:
    """Publish the study's W&B workspace and report; a second time updates them.

    Without a login their definition is written to dashboards.json, for recsweep sync.
    """
    review.publish(study)


@app.command(epilog="Example: recsweep sync results/default")
def sync(
    study: StudyFolder,
    seconds: Annotated[
        float, typer.Option("--seconds", help="Give up after so long; the rest stays to be sent.")
    ] = 600,
) -> None:
    """Send runs that are files to the W&B server, and publish the study's workspace and report."""
    review.sync(study, seconds)


@app.command(epilog="Example: recsweep compare results/default results/mars")
def compare(
    studies: Annotated[
        list[Path], typer.Argument(help="Studies' folders, the earlier first.", show_default=False)
    ],
    lang: Language = "en",
) -> None:
    """Did another space or new code change the answer? The first study is the baseline."""
    review.compare(studies, lang)


@app.command(epilog="Example: recsweep verdict results/default results/mars")
def verdict(
    studies: Annotated[
        list[Path],
        typer.Argument(help="Studies' folders, each on a log of its own.", show_default=False),
    ],
) -> None:
    """One statement over several logs: random effects, with each log's interval beside it."""
    review.verdict(studies)


@app.command(epilog="Example: recsweep methods results/default > methods.md")
def methods(study: StudyFolder) -> None:
    """Print a paragraph and tables for a paper, as Markdown, from the study's record."""
    review.methods(study)


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
    steps.reproduce(best, sealed, quiet)


@app.command(epilog="Example: recsweep backtest results/default/best/gru.yaml --every 7d")
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
    steps.backtest(best, every, search, lang, quiet)


@app.command(epilog="Example: recsweep fit results/default/best/gru.yaml --out models/gru")
def fit(
    best: Annotated[
        Path,
        typer.Argument(
            help="results/<study>/best/<family>.yaml, or a study's folder: its best by the folds.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--out", "-o", help="A folder that isn't there yet, e.g. models/gru.")
    ],
    until: Annotated[
        str,
        typer.Option(
            "--until",
            metavar="MOMENT",
            help="everything: the sealed test as well, once its verdicts are out; development; or "
            "all before a moment such as 2024-05-01.",
        ),
    ] = "everything",
    licence: Annotated[
        str | None, typer.Option("--licence", help="Of the data, for the model card.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train a best configuration on all data and write a bundle: weights, courses, model card."""
    models.fit(best, output, until, licence, quiet)


@app.command(epilog="Example: recsweep recommend models/gru histories.csv --k 10 --out lists.csv")
def recommend(
    bundle: Annotated[Path, typer.Argument(help="A bundle, e.g. models/gru.", show_default=False)],
    histories: Annotated[
        Path | None,
        typer.Argument(
            help="CSV or Parquet, in the columns of the study's log.", show_default=False
        ),
    ] = None,
    learner: Annotated[
        list[str] | None,
        typer.Option("--learner", help="Instead of a file: an id of the prepared log; repeatable."),
    ] = None,
    k: Annotated[int, typer.Option("--k", help="Courses for each learner.")] = 10,
    output: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="New: .csv, .parquet or .jsonl. [dim]Default: CSV here.[/]"
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Courses with a value: --only category=maths. Repeatable."),
    ] = None,
    allow: Annotated[
        Path | None, typer.Option("--allow", help="A text file of courses' ids, one a line.")
    ] = None,
    available: Annotated[
        datetime | None,
        typer.Option("--available", help="Only courses known by this day.", formats=DAYS),
    ] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            "--at",
            help="Ask as of this moment. [dim]Default: just after each one's last event.[/]",
            formats=DAYS,
        ),
    ] = None,
    learners: Annotated[
        Path | None,
        typer.Option("--learners", help="A table of learners, in the columns of the study's."),
    ] = None,
    why: Annotated[
        bool, typer.Option("--why", help="Name the events that carried each course most.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Recommend courses to learners of a file or of the prepared log; counts go to stderr."""
    from recsweep.data.clock import microseconds
    from recsweep.stages.recommend import Asking

    asking = Asking(
        k=k,
        only=only or (),
        allow=allow,
        available=None if available is None else microseconds(available),
        at=None if at is None else microseconds(at),
        learners=learners,
        why=why,
    )
    models.recommend(bundle, histories, learner or (), output, quiet, asking)


@app.command(epilog="Example: recsweep monitor models/reviews feed.csv --out monitor.jsonl")
def monitor(
    bundle: Annotated[
        Path, typer.Argument(help="A bundle of texts, e.g. models/reviews.", show_default=False)
    ],
    feed: Annotated[
        Path,
        typer.Argument(help="CSV or Parquet: texts with times, topics.", show_default=False),
    ],
    label: Annotated[str, typer.Option("--label", help="The label that is watched.")] = "negative",
    false_alarms: Annotated[
        float,
        typer.Option("--false-alarms", help="Expected by chance in a month, all topics together."),
    ] = 0.5,
    reference_days: Annotated[
        int, typer.Option("--reference-days", help="The feed's first days, which are as usual.")
    ] = 28,
    text: Annotated[str, typer.Option("--text", help="The column of texts.")] = "text",
    time: Annotated[str, typer.Option("--time", help="The column of times.")] = "time",
    topic: Annotated[
        str, typer.Option("--topic", help='The column of topics; "": all are of one.')
    ] = "topic",
    time_format: Annotated[
        str, typer.Option("--time-format", help="unix, unix_ms, iso, or a pattern.")
    ] = "iso",
    output: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="New: .jsonl, .csv or .parquet. [dim]Default: CSV here.[/]"
        ),
    ] = None,
    page: Annotated[Path | None, typer.Option("--page", help="An HTML page.")] = None,
    lang: Language = "en",
    quiet: Quiet = False,
) -> None:
    """Warn where the share of a label in a feed of texts rises beyond chance."""
    from recsweep.bundle.labels import Feed
    from recsweep.evaluation.monitoring import Watching

    columns = Feed(text, time, topic or None, time_format)
    watching = Watching(label, false_alarms, reference_days)
    models.monitor(bundle, feed, columns, watching, output, page, lang, quiet)


@app.command(epilog="Example: recsweep export models/gru --onnx gru.onnx")
def export(
    bundle: Annotated[Path, typer.Argument(help="A bundle, e.g. models/gru.", show_default=False)],
    onnx: Annotated[Path, typer.Option("--onnx", help="A file that isn't there yet.")],
) -> None:
    """Write a bundle's network for onnxruntime, checked against the bundle's scores."""
    models.export(bundle, onnx)


@app.command(epilog="Example: recsweep serve models/gru models/knn --split 0.9,0.1")
def serve(
    bundles: Annotated[
        list[Path], typer.Argument(help="Bundles, e.g. models/gru.", show_default=False)
    ],
    split: Annotated[
        str | None,
        typer.Option("--split", help="Each one's share of the learners. [dim]Default: alike.[/]"),
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Loopback unless told otherwise.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8000,
    replicas: Annotated[int, typer.Option("--replicas", min=1, help="Processes of each.")] = 1,
) -> None:
    """Serve bundles over HTTP with Ray Serve; RECSWEEP_TOKEN, if set, is what clients must bear.

    SIGHUP reads the folders again: new bundles take over without a lost request.
    """
    models.serve(bundles, split, host, port, replicas)


@app.command(epilog="Example: recsweep replay results/default")
def replay(study: StudyFolder) -> None:
    """Derive every suggestion and stop of a study again from its journal; 1 if one differs."""
    steps.replay(study)
