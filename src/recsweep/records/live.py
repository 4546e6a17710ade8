"""`sweep.json`: what a sweep that runs now, or ran last, set out to do.

Everything else about a running sweep is in Optuna's journal; this is what the journal can't tell.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from recsweep.config.schema import Schema
from recsweep.records.atomic import write_text

NAME = "sweep.json"


class LiveSweep(Schema):
    """The session that began last."""

    study: str
    description: str
    metric: str
    targets: Mapping[str, int | None]  # family -> trials in all; None: until `seconds` are used
    seconds: float | None = None  # of fitting and evaluating, of each family without a target
    epochs: int  # full length of a trial
    workers: int
    started: datetime
    project: str  # of W&B
    ended: datetime | None = None  # None: it runs, or was killed
    interrupted: bool = False


def write_live(sweep: LiveSweep, folder: Path) -> None:
    """Write it, whole or not at all."""
    write_text(folder / NAME, sweep.model_dump_json(indent=1) + "\n")


def read_live(folder: Path) -> LiveSweep | None:
    """Read it; None where no sweep of this version has begun, or the file is not one of ours."""
    try:
        return LiveSweep.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValidationError):
        return None
