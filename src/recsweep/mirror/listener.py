"""A study's mirror, kept up while a sweep runs, off the critical path.

A thread of its own copies; events that come meanwhile are answered by one more copy. What fails
costs a warning, never a trial.
"""

import logging
import math
import threading
import time

from recsweep.errors import RecsweepError, one_line
from recsweep.mirror.copy import Mirror
from recsweep.tracking.events import EpochReported, Event, SweepEnded, TrialEnded

log = logging.getLogger(__name__)

PAUSE = 1.0
"""Seconds at least between two copies, so that short trials do not fill the network."""
EPOCHS = 30.0
"""Seconds since the last copy after which an epoch is worth one, for the sake of checkpoints."""
SHARE = 20
"""An epoch is also not worth one before so many times as long as the last copy took."""


class MirrorListener:
    """Copies after each finished trial, and now and then after an epoch."""

    def __init__(
        self, mirror: Mirror, close_seconds: float, pause: float = PAUSE, epochs: float = EPOCHS
    ) -> None:
        self._mirror, self._limit, self._pause, self._epochs = mirror, close_seconds, pause, epochs
        self._due = time.monotonic() + epochs  # when an epoch is worth a copy
        self._wanted, self._over = threading.Event(), threading.Event()
        self._warned = False
        self._thread = threading.Thread(target=self._work, name="mirror", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Ask for a copy; at the sweep's end, wait a moment for the one under way."""
        late = isinstance(event, EpochReported) and time.monotonic() >= self._due
        if isinstance(event, TrialEnded) or late:
            self._wanted.set()
        if isinstance(event, SweepEnded):
            self._over.set()
            self._wanted.set()
            self._thread.join(self._limit)

    def _work(self) -> None:
        while not self._over.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if self._over.is_set():
                return  # the last copy is made when the study's files are written
            began, self._due = time.monotonic(), math.inf  # until this copy is done
            self._warned = not push(self._mirror, quiet=self._warned)
            took = time.monotonic() - began
            self._due = time.monotonic() + max(self._epochs, SHARE * took)
            self._over.wait(self._pause)


def push(mirror: Mirror, *, quiet: bool = False) -> bool:
    """Copy; say so in one line where it did not work, unless `quiet`. Tells whether it worked."""
    try:
        mirror.push()
    except Exception as error:  # of whatever driver the store has
        if not quiet:
            reason = str(error) if isinstance(error, RecsweepError) else one_line(error)
            log.warning("the mirror was not brought up to date: %s", reason)
        return False
    return True
