"""Ends of a sweep or a trial from the outside: Ctrl-C, a full disk, a worker that is silent."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray import tune

from recsweep.errors import WorkFailed
from recsweep.search.deaths import Deaths
from recsweep.search.policy import Policy

log = logging.getLogger(__name__)


class Watch(tune.Callback):  # type: ignore[misc]
    """Looks after Ray Tune from between its steps, when nothing is half done.

    Args:
        policy: told of trials that nobody else can tell of.
        folder: the study's, for messages.
        silence: seconds without a report after which a trial is ended.
        stop: set by who wants the sweep to end.
    """

    def __init__(self, policy: Policy, folder: Path, silence: float, stop: threading.Event) -> None:
        self._policy, self._folder, self._silence, self._stop = policy, folder, silence, stop
        self._heard: dict[str, float] = {}  # Ray's trial id -> when it last gave a sign
        self._looked = 0.0
        self._silent: set[str] = set()
        self.broken: OSError | None = None
        self.deaths = Deaths()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Around what writes to the study: a journal that can't be written to ends the sweep.

        A line may be half written then. Nothing may follow it before it is dropped, so look at
        `broken` first.
        """
        try:
            yield
        except OSError as error:
            self.broken = error

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Take note of a sign of life, and keep learners' scores out of Ray's own books."""
        self._heard[trial.trial_id] = time.monotonic()
        result.pop("report", None)
        result.pop("best", None)

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """A trial whose worker died, or was ended for its silence."""
        proposal, error = trial.config["proposal"], _error(trial)
        if trial.trial_id in self._silent:  # what hung once would hang again
            reason = f"silent: no report for {self._silence:g} s (resources.silence_seconds)"
        elif self.deaths.forgive(proposal, error):
            return
        else:
            reason = f"its worker died: {_last_line(error)}"
        if self.broken is None:
            with self.writing():
                self._policy.failed(proposal, reason)

    def on_step_end(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """The place to stop."""
        if self.broken is not None:
            raise WorkFailed(
                f"{self._folder}: can't be written to ({self.broken.strerror}); every epoch that "
                "was booked is kept: see to the disk and run the same command again"
            )
        if self.deaths.hopeless is not None:
            raise WorkFailed(
                f"{self._folder}: no worker begins ({_last_line(self.deaths.hopeless)}); nothing "
                "that was booked is lost: see to the cluster's machines and run the same command "
                "again"
            )
        if self._stop.is_set():
            raise KeyboardInterrupt
        now = time.monotonic()
        if now - self._looked >= min(1.0, self._silence / 4):
            self._looked = now
            self._end_silent(trials, now)

    def _end_silent(self, trials: list[Any], now: float) -> None:
        for trial in trials:
            if trial.status != "RUNNING":
                self._heard.pop(trial.trial_id, None)
                continue
            heard = self._heard.setdefault(trial.trial_id, now)
            actor = trial.temporary_state.ray_actor
            if now - heard > self._silence and actor is not None:
                log.warning("%s: silent for %.0f s; it is ended", trial, now - heard)
                self._silent.add(trial.trial_id)
                del self._heard[trial.trial_id]
                ray.kill(actor)


def _error(trial: Any) -> str:
    """What Ray wrote of a trial's end in words. It pickles it as well; nothing here unpickles."""
    try:
        return Path(trial.error_file).read_text("utf-8", "replace")
    except (OSError, TypeError):
        return ""


def _last_line(error: str) -> str:
    """Where Ray says of what a process died, and Python which exception it was."""
    lines = error.strip().splitlines() or ["Ray doesn't say of what"]
    return lines[-1][:200]
