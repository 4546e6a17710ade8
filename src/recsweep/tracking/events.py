"""Events of a running sweep for its listeners: the progress table, W&B, a test."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.records.study import SweepSession, TrialRow
from recsweep.spaces.declared import DeclaredSpace
from recsweep.training.epoch import EpochReport


@dataclass(frozen=True, slots=True)
class SweepStarted:
    """A session begins; a resumed study has trials behind it."""

    experiment: Experiment
    spaces: Mapping[str, DeclaredSpace]  # by the family's name in the study
    targets: Mapping[str, int | None]  # family -> trials in all; None: until `budget.seconds`
    done: tuple[TrialRow, ...]
    workers: int
    uid: str  # of the study, the same in every session
    session: int  # from 0
    dataset: str = ""  # folder name of the prepared data
    fingerprint: str = ""  # of the prepared data


@dataclass(frozen=True, slots=True)
class EpochReported:
    """All folds of a trial have finished one more epoch."""

    id: str
    report: EpochReport


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """A trial has its configuration and a worker."""

    id: str  # `gru-0003`
    family: str
    attempt: int  # from 0; a trial that was cut off goes on under its id
    config: Configuration
    seed: int
    earlier: tuple[EpochReport, ...] = ()  # what it had reported before it was cut off


@dataclass(frozen=True, slots=True)
class TrialEnded:
    """A trial is complete, pruned or failed."""

    trial: TrialRow


@dataclass(frozen=True, slots=True)
class SweepEnded:
    """The last event, whatever happened; listeners let go of what they hold."""

    session: SweepSession
    interrupted: bool


Event = SweepStarted | TrialStarted | EpochReported | TrialEnded | SweepEnded
Listener = Callable[[Event], None]

log = logging.getLogger(__name__)


class Broadcast:
    """Tells every listener. One that breaks is dropped with a warning: nobody's trouble but its own
    may cost a study its trials.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def add(self, listener: Listener) -> None:
        """From the next event on."""
        self._listeners.append(listener)

    def __call__(self, event: Event) -> None:
        """Tell."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception as error:
                self._listeners.remove(listener)
                log.warning("%r failed and hears no more: %s", listener, error)
