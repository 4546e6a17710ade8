"""The commands of fitted models."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from recsweep.cli import models
from recsweep.cli.commands.options import Language, Quiet

DAYS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]


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


def export(
    bundle: Annotated[Path, typer.Argument(help="A bundle, e.g. models/gru.", show_default=False)],
    onnx: Annotated[Path, typer.Option("--onnx", help="A file that isn't there yet.")],
) -> None:
    """Write a bundle's network for onnxruntime, checked against the bundle's scores."""
    models.export(bundle, onnx)


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
