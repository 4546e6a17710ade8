"""Writes down what a sweep set out to do and how far it is, for the page that watches it."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from recsweep.records.live import LiveSweep, end_in, myself, read_live, write_live
from recsweep.tracking.events import Event, SweepEnded, SweepStarted
from recsweep.tracking.remaining import Remaining

SECONDS = 2.0  # between two estimates in the file


class LiveFile:
    """A listener that keeps `sweep.json`."""

    def __init__(self, folder: Path, later: Sequence[str] = ()) -> None:
        self._folder, self._later = folder, tuple(later)
        self._remaining, self._wrote = Remaining(later), 0.0

    def __call__(self, event: Event) -> None:
        """Write at the beginning, at the end, and what is left in between."""
        self._remaining(event)
        match event:
            case SweepStarted():
                experiment = event.experiment
                write_live(
                    LiveSweep(
                        study=experiment.study,
                        description=experiment.description,
                        description_zh=experiment.description_zh,
                        metric=experiment.metric.key,
                        targets=event.targets,
                        kinds={name: space.family for name, space in event.spaces.items()},
                        seconds=experiment.budget.seconds,
                        epochs=experiment.budget.epochs,
                        workers=event.workers,
                        started=datetime.now(UTC),
                        project=experiment.tracking.project,
                        stage="search",
                        later=self._later,
                        **myself(),
                    ),
                    self._folder,
                )
            case SweepEnded():
                self._update(
                    ended=datetime.now(UTC),
                    interrupted=event.interrupted,
                    stage=None,
                    ends=end_in(self._remaining.seconds()),
                    **({"later": ()} if event.interrupted else {}),
                )
            case _ if time.monotonic() - self._wrote >= SECONDS:
                self._update(ends=end_in(self._remaining.seconds()))

    def _update(self, **changes: object) -> None:
        self._wrote = time.monotonic()
        sweep = read_live(self._folder)
        if sweep is not None:
            write_live(sweep.model_copy(update=changes), self._folder)
