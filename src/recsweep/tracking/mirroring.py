"""A study's mirror, kept up while a sweep runs, off the critical path.

A thread of its own copies; events that come meanwhile are answered by one more copy. What fails
costs a warning, never a trial.
"""

import logging
import threading
import time

from recsweep.errors import RecsweepError
from recsweep.records.mirror import Mirror
from recsweep.tracking.events import Event, SweepEnded, TrialEnded

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds at least between two copies, so that short trials do not fill the network."""


class MirrorListener:
    """Copies after each finished trial. `waited`: seconds that the sweep's end waited for it."""

    def __init__(self, mirror: Mirror, close_seconds: float, pause: float = PAUSE) -> None:
        self._mirror, self._limit, self._pause = mirror, close_seconds, pause
        self._wanted, self._over = threading.Event(), threading.Event()
        self._warned = False
        self._thread = threading.Thread(target=self._work, name="mirror", daemon=True)
        self._thread.start()
        self.waited = 0.0

    def __call__(self, event: Event) -> None:
        """Ask for a copy; at the sweep's end, wait a moment for the one under way."""
        if isinstance(event, TrialEnded):
            self._wanted.set()
        if isinstance(event, SweepEnded):
            self._over.set()
            self._wanted.set()
            began = time.monotonic()
            self._thread.join(self._limit)
            self.waited = time.monotonic() - began

    def _work(self) -> None:
        while not self._over.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if self._over.is_set():
                return  # the last copy is made when the study's files are written
            self._warned = not push(self._mirror, quiet=self._warned)
            self._over.wait(self._pause)


def push(mirror: Mirror, *, quiet: bool = False) -> bool:
    """Copy; say so in one line where it did not work, unless `quiet`. Tells whether it worked."""
    try:
        mirror.push()
    except Exception as error:  # of whatever driver the store has
        if not quiet:
            reason = str(error) if isinstance(error, RecsweepError) else _one_line(error)
            log.warning("the mirror was not brought up to date: %s", reason)
        return False
    return True


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:200]
