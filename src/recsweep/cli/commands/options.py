"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

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
