"""`sweep.json`: what a study that is worked on now, or was last, set out to do, and how far it is.

Trials are in Optuna's journal; this is what the journal can't tell.
"""

import os
import platform
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from recsweep.config.schema import Schema
from recsweep.records.atomic import write_text

NAME = "sweep.json"
BESIDE_TRAINING: Mapping[str, float] = {"search": 2.0, "select": 1.0, "confirm": 7.0, "report": 1.0}
"""Seconds of a stage in which nothing is trained: processes start, intervals are drawn, files are
written. As seen with twelve small trials on a busy machine of two cores."""


def seconds_after(stage: str, later: Collection[str]) -> float:
    """Seconds beside training of what is left of a stage that trains, and of those that follow."""
    rest = BESIDE_TRAINING[stage] / 2 if stage == "confirm" else BESIDE_TRAINING[stage]
    return rest + sum(BESIDE_TRAINING[verb] for verb in later)


class LiveSweep(Schema):
    """The session that began last."""

    study: str
    description: str
    description_zh: str = ""
    metric: str
    targets: Mapping[str, int | None]  # family -> trials in all; None: until `seconds` are used
    kinds: Mapping[str, str] = {}  # family -> its name in the registry
    seconds: float | None = None  # of fitting and evaluating, of each family without a target
    epochs: int  # full length of a trial
    workers: int
    started: datetime
    project: str  # of W&B
    ended: datetime | None = None  # of the search; None: it runs, or was killed
    interrupted: bool = False
    stage: str | None = None  # the verb under way; None: none is
    later: tuple[str, ...] = ()  # verbs that follow it
    done: int = 0  # refits
    total: int = 0
    ends: datetime | None = None  # when the last stage is expected to
    pid: int = 0  # who is at work
    host: str = ""

    def alive(self) -> bool:
        """Is a stage under way, or about to begin?"""
        return bool(self.stage or self.later) and process_lives(self.pid, self.host)


def process_lives(pid: int, host: str) -> bool:
    """Does it run? Of a process on another machine nobody knows; it is taken to."""
    if host != platform.node():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def myself() -> dict[str, object]:
    """This process, as `pid` and `host`."""
    return {"pid": os.getpid(), "host": platform.node()}


def end_in(seconds: float | None) -> datetime | None:
    """The time in so many seconds."""
    return None if seconds is None else datetime.now(UTC) + timedelta(seconds=seconds)


def write_live(sweep: LiveSweep, folder: Path) -> None:
    """Write it, whole or not at all."""
    write_text(folder / NAME, sweep.model_dump_json(indent=1) + "\n")


def read_live(folder: Path) -> LiveSweep | None:
    """Read it; None where no sweep of this version has begun, or the file is not one of ours."""
    try:
        return LiveSweep.model_validate_json((folder / NAME).read_bytes())
    except (OSError, ValidationError):
        return None


@contextmanager
def at_stage(folder: Path, stage: str) -> Iterator[Callable[[int, int, float], None]]:
    """A stage after the search is under way; call what is given with done, total and seconds left.

    Nothing is written where no sweep of this version has begun.
    """
    live = read_live(folder)
    later: tuple[str, ...] = ()
    if live is not None:
        later = tuple(verb for verb in live.later if verb != stage)
        known = live.ends is not None and live.ends > datetime.now(UTC)
        ends = live.ends if known else None
        _update(folder, stage=stage, later=later, done=0, total=0, ends=ends, **myself())

    def far(done: int, total: int, seconds: float) -> None:
        ends = end_in(seconds + seconds_after(stage, later))
        _update(folder, done=done, total=total, ends=ends)

    try:
        yield far
    except BaseException:
        later = ()
        raise
    finally:
        _update(folder, stage=None, later=later)


def _update(folder: Path, **changes: object) -> None:
    live = read_live(folder)
    if live is not None:
        write_live(live.model_copy(update=changes), folder)
