"""Sending run files to the W&B server, by its own command, within a time limit.

`wandb sync` waits for ever on a server that takes connections and answers nothing.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recsweep.errors import BadInput, WorkFailed
from recsweep.tracking.stage_runs import STAGES
from recsweep.tracking.wandb_mode import trouble

TOGETHER = 8  # trials that are sent at once


@dataclass(frozen=True, slots=True)
class Synced:
    """How many runs there were to send, and how many of them arrived."""

    waiting: int
    sent: int


def unsent(folder: Path) -> list[Path]:
    """Run folders of a study whose files were not sent yet, the oldest first."""
    found = sorted((folder / "wandb").glob("offline-run-*"))
    return [run for run in found if not list(run.glob("*.wandb.synced"))]


def sync(folder: Path, seconds: float) -> Synced:
    """Send what was not sent yet: trials together, then the stages in the order of their lineage.

    Raises:
        BadInput: nobody is logged in, or the server refuses the key.
        WorkFailed: it did not take all runs in time; those that arrived are not sent again.
    """
    if why := trouble():
        raise BadInput(f"nothing was sent: {why}")
    waiting = unsent(folder)
    ends = time.monotonic() + seconds
    places = {run: place for run in waiting if (place := _place(run)) is not None}
    stages = sorted(places, key=places.__getitem__)
    trials = [run for run in waiting if run not in places]
    for runs, together in ((trials, TOGETHER), (stages, 1)):
        if runs:
            _wandb_sync(folder, runs, together, ends - time.monotonic())
    sent = len(waiting) - len(unsent(folder))
    if sent < len(waiting):
        raise WorkFailed(
            f"{folder}: {sent} of {len(waiting)} runs were sent; run it again for the rest"
        )
    return Synced(len(waiting), sent)


def _place(run: Path) -> tuple[str, int] | None:
    """When a stage's run began, and, of one second, what comes first; None: it is a trial's."""
    began = run.name.split("-")[2]  # offline-run-20261201_035649-select-…
    found = (n for n, stage in enumerate(STAGES) if f"-{stage}-" in run.name)
    return next(((began, n) for n in found), None)


def _wandb_sync(folder: Path, runs: Sequence[Path], together: int, seconds: float) -> None:
    command = [sys.executable, "-m", "wandb", "sync", "-n", str(together), *map(str, runs)]
    try:
        subprocess.run(
            command,
            capture_output=True,
            timeout=max(seconds, 0.1),
            check=False,
            env={**os.environ, "WANDB_DIR": str(folder)},  # its logs, else in the current folder
        )
    except subprocess.TimeoutExpired:
        return  # what arrived is marked; the rest is counted
