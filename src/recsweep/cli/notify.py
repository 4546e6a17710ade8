"""A command of the user's own at the end of a long one, however it ends."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from recsweep.cli.console import warn
from recsweep.errors import RecsweepError


@contextmanager
def notifying(command: str | None) -> Iterator[None]:
    """Run `command` in a shell when the block ends; RECSWEEP_STATUS tells it the exit status.

    What it prints goes to standard error, so that --json stays clean. Where it fails, that is a
    warning: the study's own exit status stands.
    """
    status = 1
    try:
        yield
        status = 0
    except RecsweepError as error:
        status = error.exit_status
        raise
    finally:
        if command is not None:
            _run(command, status)


def _run(command: str, status: int) -> None:
    told = {**os.environ, "RECSWEEP_STATUS": str(status)}
    done = subprocess.run(command, shell=True, env=told, stdout=2, check=False)
    if done.returncode:
        warn(f"--notify {command}: ended with status {done.returncode}")
