"""W&B: one run a trial and one for the study, from the driver, off the critical path.

A thread of its own talks to W&B, so that neither a slow network nor a slow disk holds a trial up.
Without a login the runs are files under `results/<study>/wandb`, for `wandb sync` or `wandb leet`.
"""

import logging
import queue
import threading
import time
from pathlib import Path

import wandb

from recsweep.config.schema import Tracking
from recsweep.tracking.events import Event, SweepEnded
from recsweep.tracking.wandb_mode import Mode
from recsweep.tracking.wandb_runs import Runs

log = logging.getLogger(__name__)

INTERRUPT_SECONDS = 3.0
"""After Ctrl-C nobody waits longer, whatever the experiment says."""


class WandbListener:
    """Turns a sweep's events into W&B runs.

    `waited` is how long the end of the sweep waited for it, in seconds.
    """

    def __init__(self, folder: Path, tracking: Tracking, mode: Mode) -> None:
        self._tracking, self._folder = tracking, folder
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._runs = Runs(folder, tracking, mode)
        self._thread = threading.Thread(target=self._work, name="wandb", daemon=True)
        self._thread.start()
        self.waited = 0.0

    def __call__(self, event: Event) -> None:
        """Pass an event on; at the sweep's end, wait a moment for what is under way."""
        self._queue.put(event)
        if isinstance(event, SweepEnded):
            self._close(event.interrupted)

    def _close(self, interrupted: bool) -> None:
        limit = self._tracking.close_seconds
        if interrupted:
            limit = min(limit, INTERRUPT_SECONDS)
        began = time.monotonic()
        self._thread.join(limit / 2)
        if self._thread.is_alive():  # what is still to come goes to files, which is quick
            self._runs.mode = "offline"
            self._thread.join(limit / 2)
        self.waited = time.monotonic() - began
        if self._thread.is_alive() or self._runs.unsent:
            log.warning(
                "W&B did not take everything; send the rest later: wandb sync %s/offline-run-*",
                self._folder / "wandb",
            )

    def _work(self) -> None:
        wandb.setup(wandb.Settings(silent=True))
        ended = False
        while not ended:
            event = self._queue.get()
            ended = isinstance(event, SweepEnded)
            try:
                self._runs.take(event)
            except Exception as error:
                log.warning("W&B hears no more: %s: %s", type(error).__name__, error)
                return
