"""Writes down what a sweep set out to do, for the page that watches it."""

from datetime import UTC, datetime
from pathlib import Path

from recsweep.records.live import LiveSweep, read_live, write_live
from recsweep.tracking.events import Event, SweepEnded, SweepStarted


class LiveFile:
    """A listener that keeps `sweep.json`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, event: Event) -> None:
        """Write at the beginning and at the end."""
        match event:
            case SweepStarted():
                experiment = event.experiment
                write_live(
                    LiveSweep(
                        study=experiment.study,
                        description=experiment.description,
                        metric=experiment.metric.key,
                        targets=event.targets,
                        seconds=experiment.budget.seconds,
                        epochs=experiment.budget.epochs,
                        workers=event.workers,
                        started=datetime.now(UTC),
                        project=experiment.tracking.project,
                    ),
                    self._folder,
                )
            case SweepEnded():
                sweep = read_live(self._folder)
                if sweep is not None:
                    end = {"ended": datetime.now(UTC), "interrupted": event.interrupted}
                    write_live(sweep.model_copy(update=end), self._folder)
