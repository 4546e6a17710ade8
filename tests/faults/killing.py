"""The command line in a process of its own, killed at random moments and begun again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

import polars as pl
from faults.sweeping import journal_lines

from recsweep.records.files import MEASURED, WHOLE

REPORTS = '"step":'  # a line of the journal that books an epoch
CLOCK = ["started", "ended", "fit_seconds", "evaluate_seconds"]


def begin(project: Path, *arguments: str) -> "subprocess.Popen[str]":
    """`recsweep` in a project's folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "recsweep", *arguments],
        cwd=project,
        env={**os.environ, "WANDB_MODE": "disabled"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(project: Path, *arguments: str) -> None:
    """The same, to its end.

    Raises:
        RuntimeError: it fails.
    """
    process = begin(project, *arguments)
    errors = process.communicate()[1]
    if process.returncode:
        raise RuntimeError(errors)


def kill_and_resume(
    project: Path, arguments: Sequence[str], kills: int, reports: int, random: Random
) -> list[str]:
    """Kill a sweep `kills` times, then let it end.

    A moment is drawn from the first four fifths of an undisturbed sweep's reports, or, where as
    many have been booked already, from its first seconds: on a busy machine a sweep that has a
    report or two to go is done before anybody has looked again. Half of the kills take the driver
    alone, half its group, too.

    Args:
        project: the folder to run in; it holds one study at most.
        arguments: the command.
        kills: how often.
        reports: that an undisturbed sweep books.
        random: draws moments.

    Returns:
        What was killed when, in words.

    Raises:
        RuntimeError: a sweep failed, or was done before it could be killed.
    """
    done = []
    for _ in range(kills):
        booked = _booked(project)
        mark, delay = random.randrange(reports * 4 // 5), random.uniform(0, 5)
        process, began = begin(project, *arguments), time.monotonic()
        late = mark > booked
        while process.poll() is None and (
            _booked(project) < mark if late else time.monotonic() - began < delay
        ):
            time.sleep(0.02)
        if process.poll() is not None:
            raise RuntimeError(process.communicate()[1] or "done before it was killed")
        whole = random.random() < 0.5
        process.kill()
        if whole:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        moment = f"{_booked(project)} of {reports} reports, {time.monotonic() - began:.1f} s"
        done.append(f"{'driver and group' if whole else 'driver'} after {moment}")
    finish(project, *arguments)
    return done


def _booked(project: Path) -> int:
    return sum(journal_lines(folder, REPORTS) for folder in (project / "results").glob("*"))


def reports(project: Path) -> int:
    """That a finished sweep booked."""
    return _booked(project)


def outcome(study: Path) -> dict[str, bytes]:
    """Trials, curves and selected configurations byte by byte, but for what is measured: seconds,
    memory, energy.
    """
    trials = pl.read_parquet(study / "trials.parquet").drop(CLOCK)
    found = {"trials": trials.write_ipc(None).getvalue()}
    differs = pl.col("metric").is_in(list({*MEASURED} - {*WHOLE}))
    curves = pl.read_parquet(study / "curves.parquet").filter(~differs)
    found["curves"] = curves.write_ipc(None).getvalue()
    return found | {path.name: path.read_bytes() for path in sorted(study.glob("best/*.yaml"))}
