"""A study at one moment as data for the page. Nothing is written; a sweep may run meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from recsweep.config.schema import goodness
from recsweep.records.study import TrialRow

Phase = Literal["waiting", "running", "stopped", "finished"]


@dataclass(frozen=True, slots=True)
class Running:
    """A trial under way."""

    id: str
    family: str
    epoch: int  # the last one reported; 0: none yet
    value: float | None  # of that epoch
    seconds: float  # so far


@dataclass(frozen=True, slots=True)
class FamilyState:
    """How far a family is."""

    name: str
    target: int | None  # trials; None: until `budget` is used
    ended: tuple[TrialRow, ...]
    running: tuple[Running, ...]
    metric: str = ""
    budget: float = 0.0  # seconds

    def count(self, state: str) -> int:
        """Trials that ended so."""
        return sum(trial.state == state for trial in self.ended)

    @property
    def best(self) -> TrialRow | None:
        """The best complete trial; others' values are not comparable with it."""
        return best_of([t for t in self.ended if t.state == "complete"], self.metric)

    @property
    def seconds(self) -> float:
        """Work on trials that ended."""
        return sum(trial.seconds for trial in self.ended)

    @property
    def seconds_so_far(self) -> float:
        """And on those under way."""
        return self.seconds + sum(trial.seconds for trial in self.running)

    @property
    def over(self) -> bool:
        """Has it all that it was to get?"""
        if self.target is None:
            return not self.running and self.seconds >= self.budget
        return len(self.ended) >= self.target

    @property
    def shares(self) -> tuple[float, float]:
        """Of what it is to get: ended; and with what is under way."""
        if self.target is None:
            parts, whole = (self.seconds, self.seconds_so_far), self.budget
        else:
            ended = len(self.ended)
            parts, whole = (ended, ended + len(self.running)), max(self.target, 1)
        return min(1.0, parts[0] / whole), min(1.0, parts[1] / whole)

    @property
    def so_far(self) -> str:
        """`3/12` trials, or `45/120 s`."""
        if self.target is None:
            return f"{self.seconds_so_far:.0f}/{self.budget:g} s"
        return f"{len(self.ended)}/{self.target}"

    def work_left(self, usual: float) -> float:
        """Seconds, if a trial of a family that has none takes the usual ones."""
        if self.target is None:
            return max(0.0, self.budget - self.seconds_so_far)
        mean = self.seconds / len(self.ended) if self.ended else usual
        begun = sum(min(trial.seconds, mean) for trial in self.running)
        return max(0.0, (self.target - len(self.ended)) * mean - begun)


@dataclass(frozen=True, slots=True)
class StudyState:
    """A study at one moment."""

    name: str
    phase: Phase
    metric: str = ""
    description: str = ""
    families: tuple[FamilyState, ...] = ()
    workers: int = 0
    pace: float | None = None  # seconds of work a second, of the running or last session
    wall_seconds: float = 0.0  # of all sessions so far
    epochs: int = 0  # full length of a trial
    files: tuple[str, ...] = field(default=())  # that the page can show
    wandb_runs: int = 0

    @property
    def ended(self) -> list[TrialRow]:
        """Every trial that ended, the latest first."""
        trials = [trial for family in self.families for trial in family.ended]
        return sorted(trials, key=lambda t: (t.ended, t.id), reverse=True)

    @property
    def running(self) -> list[Running]:
        """Every trial under way."""
        return [trial for family in self.families for trial in family.running]

    @property
    def target(self) -> int | None:
        """Trials in all; None: nobody knows."""
        targets = [family.target for family in self.families]
        return None if None in targets else sum(target or 0 for target in targets)

    @property
    def best(self) -> TrialRow | None:
        """The best trial of all families."""
        return best_of([f.best for f in self.families if f.best], self.metric)

    @property
    def seconds_left(self) -> float | None:
        """To the end of the sweep, at its pace so far; None: too early to say, or nothing to do."""
        if self.phase != "running":
            return None
        return seconds_left(self.families, self.pace or float(self.workers))


def best_of(trials: Sequence[TrialRow], metric: str) -> TrialRow | None:
    """By the metric's own direction; of equals the first."""
    scored = [(goodness(metric, t.value), t) for t in trials if t.value is not None]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def seconds_left(families: Sequence[FamilyState], pace: float) -> float | None:
    """Each family's mean work a trial, times what it lacks, or its seconds, over the pace."""
    known = [family for family in families if family.ended]
    if not known or pace <= 0:
        return None
    usual = sum(f.seconds for f in known) / sum(len(f.ended) for f in known)
    return sum(family.work_left(usual) for family in families) / pace


@dataclass(frozen=True, slots=True)
class Places:
    """Where the page sends people; commands as they can be typed here."""

    folder: Path
    recsweep: str  # the program
    wandb: str
    optuna: str | None = None  # address of its dashboard; None: not up
    tensorboard: Path | None = None  # event files, where they are written
