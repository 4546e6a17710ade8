"""A study at one moment as data for the page. Nothing is written; a sweep may run meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from recsweep.config.schema import goodness
from recsweep.records.evidence import Evidence
from recsweep.records.study import TrialRow

Phase = Literal["waiting", "running", "stopped", "finished"]


@dataclass(frozen=True, slots=True)
class Running:
    """A trial under way."""

    id: str
    family: str
    values: tuple[float, ...]  # after each epoch so far
    seconds: float  # so far

    @property
    def value(self) -> float | None:
        """Of the last epoch; None: none has ended yet."""
        return self.values[-1] if self.values else None


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
    def done(self) -> int:
        """Trials of its budget: a refused one gave it back, where there are others to try."""
        return len(self.ended) - (self.count("refused") if self.target != 1 else 0)

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
        return self.done >= self.target

    @property
    def shares(self) -> tuple[float, float]:
        """Of what it is to get: ended; and with what is under way."""
        if self.target is None:
            parts, whole = (self.seconds, self.seconds_so_far), self.budget
        else:
            parts, whole = (self.done, self.done + len(self.running)), max(self.target, 1)
        return min(1.0, parts[0] / whole), min(1.0, parts[1] / whole)

    @property
    def so_far(self) -> str:
        """`3/12` trials, or `45/120 s`."""
        if self.target is None:
            return f"{self.seconds_so_far:.0f}/{self.budget:g} s"
        return f"{self.done}/{self.target}"


@dataclass(frozen=True, slots=True)
class StudyState:
    """A study at one moment."""

    name: str
    phase: Phase
    metric: str = ""
    description: str = ""
    description_zh: str = ""  # empty: the other one
    families: tuple[FamilyState, ...] = ()
    workers: int = 0
    pace: float | None = None  # seconds of work a second, of the running or last session
    wall_seconds: float = 0.0  # of all sessions so far
    epochs: int = 0  # full length of a trial
    files: tuple[str, ...] = field(default=())  # that the page can show
    wandb_runs: int = 0
    kinds: Mapping[str, str] = field(default_factory=dict)  # family -> its name in the registry
    evidence: Evidence | None = None  # with verdicts on what is selected now
    stage: str | None = None  # the verb under way; None: not known, or none is
    later: tuple[str, ...] = ()  # verbs that follow it
    done: int = 0  # refits
    total: int = 0
    ends: datetime | None = None  # when the last stage is expected to

    @property
    def n_done(self) -> int:
        """Trials of the budget, of all families."""
        return sum(family.done for family in self.families)

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
        """To the end of the last stage, as the sweep itself expects it; None: too early to say."""
        if self.ends is None:
            return None
        return max(0.0, (self.ends - datetime.now(UTC)).total_seconds())


def best_of(trials: Sequence[TrialRow], metric: str) -> TrialRow | None:
    """By the metric's own direction; of equals the first."""
    scored = [(goodness(metric, t.value), t) for t in trials if t.value is not None]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


@dataclass(frozen=True, slots=True)
class Places:
    """Where the page sends people; commands as they can be typed here."""

    folder: Path
    recsweep: str  # the program
    wandb: str
    optuna: str | None = None  # address of its dashboard; None: not up
    tensorboard: Path | None = None  # event files, where they are written
