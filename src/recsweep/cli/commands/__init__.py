"""The commands, in the order of `recsweep --help`, each with an example.

Modules here declare arguments and options; those of `recsweep.cli` do what is asked and print.
"""

from collections.abc import Callable
from typing import Annotated

import typer

import recsweep
from recsweep.cli.commands import models, planning, rebuilding, review, stages, sweep
from recsweep.cli.commands.dashboard import dashboard
from recsweep.cli.console import out

app = typer.Typer(
    name="recsweep",
    help="Fair, cross-validated hyperparameter studies of course recommenders.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(dashboard)

COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (planning.init, "init log.csv courses.csv learners.csv"),
    (sweep.sweep, "sweep experiments/default.yaml --set budget.trials=4"),
    (planning.prepare, "prepare experiments/default.yaml"),
    (planning.plan, "plan experiments/default.yaml"),
    (planning.space, "space gru"),
    (stages.search, "search experiments/default.yaml --trials +12"),
    (stages.select, "select results/default"),
    (stages.fuse, "fuse results/default"),
    (stages.confirm, "confirm results/default"),
    (stages.report, "report results/default --lang zh"),
    (stages.portrait, "portrait results/default --family wide_deep"),
    (review.sync, "sync results/default"),
    (review.compare, "compare results/default results/mars"),
    (review.verdict, "verdict results/default results/mars"),
    (review.methods, "methods results/default > methods.md"),
    (rebuilding.reproduce, "reproduce results/default/best/gru.yaml"),
    (rebuilding.backtest, "backtest results/default/best/gru.yaml --every 7d"),
    (models.fit, "fit results/default/best/gru.yaml --out models/gru"),
    (models.recommend, "recommend models/gru histories.csv --k 10 --out lists.csv"),
    (models.monitor, "monitor models/reviews feed.csv --out monitor.jsonl"),
    (models.export, "export models/gru --onnx gru.onnx"),
    (models.serve, "serve models/gru models/knn --split 0.9,0.1"),
    (rebuilding.replay, "replay results/default"),
)

for _run, _example in COMMANDS:
    app.command(epilog=f"Example: recsweep {_example}")(_run)


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
