"""W&B: one run a trial and one for the study, from the driver, off the critical path.

A thread of its own talks to W&B, so that neither a slow network nor a slow disk holds a trial up.
Without a login the runs are files under `results/<study>/wandb`, for `recsweep sync` or
`wandb leet`.
"""

import atexit
import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import wandb

from recsweep.config.schema import Experiment
from recsweep.tracking.events import Event, SweepEnded
from recsweep.tracking.stage_runs import StageRun, log_stage
from recsweep.tracking.wandb_mode import Mode, resolve_mode
from recsweep.tracking.wandb_runs import Runs
from recsweep.tracking.wandb_session import Session, give_room

log = logging.getLogger(__name__)

INTERRUPT_SECONDS = 3.0
"""After Ctrl-C nobody waits longer, whatever the experiment says."""


class WandbListener:
    """Turns a sweep's events into W&B runs.

    `waited` is how long the end of the sweep waited for it, in seconds.
    """

    def __init__(self, folder: Path, experiment: Experiment, mode: Mode) -> None:
        self._limit = experiment.tracking.close_seconds
        self._queue: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._runs = Runs(folder, experiment, mode)
        self._thread = _thread(folder, self._work)
        self.waited = 0.0

    def __call__(self, event: Event) -> None:
        """Pass an event on; at the sweep's end, wait a moment for what is under way."""
        self._queue.put(event)
        if isinstance(event, SweepEnded):
            limit = min(self._limit, INTERRUPT_SECONDS) if event.interrupted else self._limit
            self.waited = _wait(self._thread, self._runs.session, limit)

    def _work(self) -> None:
        ended = False
        while not ended:
            event = self._queue.get()
            ended = isinstance(event, SweepEnded)
            try:
                self._runs.take(event)
            except Exception as error:  # as when the system killed the service for its memory
                log.warning("W&B's service was lost (%s); another one goes on", _told(error))
                _let_go()
                _set_up(self._runs.session.folder)
                self._runs.take_again(event)


def track(folder: Path, experiment: Experiment, *stages: StageRun) -> None:
    """Log the runs of a stage that were not logged before; waits no longer than a sweep's end.

    Raises:
        BadInput: see `resolve_mode`.
    """
    new = [s for s in stages if not list((folder / "wandb").glob(f"*run-*-{s.id}"))]
    mode = resolve_mode(experiment.tracking) if new else None
    if mode is not None:
        session = Session(folder, experiment, mode)

        def work() -> None:
            for stage in new:
                log_stage(session, stage)

        thread = _thread(folder, work)
        _wait(thread, session, experiment.tracking.close_seconds)


def _thread(folder: Path, work: Callable[[], None]) -> threading.Thread:
    def guarded() -> None:
        try:
            _set_up(folder)
            work()
        except Exception as error:
            log.warning("W&B hears no more: %s", _told(error))
            _let_go()  # the next stage starts another service
        finally:
            atexit.register(_let_go)

    thread = threading.Thread(target=guarded, name="wandb", daemon=True)
    thread.start()
    return thread


def _set_up(folder: Path) -> None:
    give_room(folder)
    if wandb.run is None:  # else this process has a run of its own, and what it says is its matter
        wandb.setup(wandb.Settings(silent=True))


def _told(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".removesuffix(": ").split())


def _let_go() -> None:
    """End W&B's service. Where it has died, W&B's own hook at exit would print a traceback."""
    if wandb.run is not None:  # it serves a run that is not ours
        return
    with suppress(Exception, SystemExit):  # it ends the process with the service's exit status
        wandb.teardown()


def _wait(thread: threading.Thread, session: Session, limit: float) -> float:
    """Wait for a thread that talks to W&B; gives the seconds that it took."""
    began = time.monotonic()
    thread.join(limit / 2)
    if thread.is_alive():  # what is still to come goes to files, which is quick
        session.mode = "offline"
        thread.join(limit / 2)
    if thread.is_alive() or session.unsent:
        log.warning(
            "W&B did not take everything; send the rest later: recsweep sync %s", session.folder
        )
    return time.monotonic() - began
