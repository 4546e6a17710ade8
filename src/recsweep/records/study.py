"""A study and its trials, as types. `records/files.py` reads and writes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.records.earlier import Taken
from recsweep.spaces.declared import DeclaredSpace, Widening
from recsweep.training.epoch import EpochReport

TrialState = Literal["complete", "pruned", "failed", "refused"]


@dataclass(frozen=True, slots=True)
class TrialRow:
    """A finished trial. `complete` reached the full budget; `pruned` was stopped early; `refused`
    was outside of the limits, and not trained.
    """

    id: str  # `gru-0003`; family name in the study and number within it
    family: str
    number: int  # from 0
    state: TrialState
    reason: str | None  # why it was stopped or refused, or failed
    config: Configuration
    seed: int
    epochs: tuple[EpochReport, ...]
    fit_seconds: float
    evaluate_seconds: float
    started: datetime
    ended: datetime
    lower_is_better: bool = False  # of the study's metric

    @property
    def best(self) -> EpochReport | None:
        """The epoch with the best mean over folds; of equals the earliest."""
        sign = -1 if self.lower_is_better else 1
        return max(self.epochs, key=lambda row: (sign * row.value, -row.epoch), default=None)

    @property
    def value(self) -> float | None:
        """The score: the best epoch's mean over folds; None: it reported none."""
        return self.best.value if self.best else None

    @property
    def seconds(self) -> float:
        """Of fitting and evaluating."""
        return self.fit_seconds + self.evaluate_seconds


@dataclass(frozen=True, slots=True)
class SweepSession:
    """One run of the sweep command; a resumed study has several."""

    started: datetime
    wall_seconds: float  # of the search, Ray's start apart
    start_seconds: float  # Ray's start
    workers: int
    busy_seconds: float  # fitting and evaluating, summed over this session's trials
    trials: int

    @property
    def efficiency(self) -> float:
        """Share of the workers' time that went into fitting and evaluating."""
        return self.busy_seconds / (self.workers * self.wall_seconds)


SESSIONS = TypeAdapter(tuple[SweepSession, ...])
"""Sessions as JSON has them."""


@dataclass(frozen=True, slots=True)
class EarlyEnd:
    """Where `stopping.study` ended a search."""

    trials: int  # of each tuned family
    budget: int


@dataclass(frozen=True, slots=True)
class Study:
    """Equal-budget trials of every family on one data set."""

    experiment: Experiment
    spaces: Mapping[str, DeclaredSpace]  # by the family's name in the study
    dataset: str  # folder name of the prepared data
    fingerprint: str  # of the prepared data
    environment: Mapping[str, object]  # code version, dependencies, threads, hardware
    folds: Mapping[str, Mapping[str, int]]  # fold -> what it holds, and a count for each rule
    sessions: tuple[SweepSession, ...]
    trials: tuple[TrialRow, ...]  # ordered by (family, number)
    warm_start: tuple[Taken, ...] = ()  # earlier studies that it began with
    widened: Mapping[str, tuple[Widening, ...]] = field(default_factory=dict)  # by family
    early_end: EarlyEnd | None = None  # None: at its budget's end, or not yet

    def trials_of(self, family: str) -> list[TrialRow]:
        """In the order of their numbers; refused ones, which weren't trained, are left out."""
        return [t for t in self.trials if t.family == family and t.state != "refused"]

    @property
    def tuned(self) -> list[str]:
        """Families with more than one configuration, which share the budget."""
        return [name for name in self.experiment.families if self.spaces[name].parameters]

    @property
    def trials_each(self) -> int | None:
        """That a tuned family was to have, with those that were added; None: seconds decided."""
        if self.early_end is not None:
            return self.early_end.budget
        budget = self.experiment.budget.trials
        counts = [len(self.trials_of(name)) for name in self.tuned]
        return None if budget is None else max(budget, *counts, 0)
