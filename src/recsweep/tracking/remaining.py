"""How long a study still takes: the one estimate that terminal and live page show."""

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from recsweep.config.schema import Folds, goodness
from recsweep.models.registry import families_of
from recsweep.records.live import seconds_after
from recsweep.records.study import TrialRow
from recsweep.tracking.events import EpochReported, Event, SweepStarted, TrialEnded, TrialStarted


@dataclass(slots=True)
class _Work:
    """Epochs and seconds of fitting and evaluating."""

    epochs: int
    seconds: float


@dataclass(slots=True)
class _Family:
    target: int | None  # trials that aren't refused; None: until `budget` is used
    budget: float  # seconds
    length: int  # epochs of a full trial
    refits: int
    ended: list[_Work] = field(default_factory=list)
    running: dict[str, _Work] = field(default_factory=dict)
    best: TrialRow | None = None

    @property
    def work(self) -> _Work:
        """All of it so far."""
        every = (*self.ended, *self.running.values())
        return _Work(sum(w.epochs for w in every), sum(w.seconds for w in every))

    def add(self, trial: TrialRow, metric: str) -> None:
        self.running.pop(trial.id, None)
        if trial.state == "refused":
            return
        self.ended.append(_Work(len(trial.epochs), trial.seconds))
        values = [t for t in (self.best, trial) if t is not None and t.value is not None]
        complete = [t for t in values if t.state == "complete"]
        self.best = max(complete, key=lambda t: goodness(metric, t.value or 0.0), default=None)

    def jobs(self, usual: float) -> list[float]:
        """Seconds of each trial under way or to come; `usual` is an epoch's of other families."""
        work = self.work
        epoch = work.seconds / work.epochs if work.epochs else usual
        rests = [max(0.0, self._epochs(w.epochs) - w.epochs) * epoch for w in self.running.values()]
        if self.target is None:
            return [*rests, max(0.0, self.budget - work.seconds - sum(rests))]
        to_come = self.target - len(self.ended) - len(self.running)
        return rests + [self._epochs(0) * epoch] * max(0, to_come)

    def _epochs(self, after: int) -> float:
        """How long trials become that got so far: the mean of those that ended."""
        lengths = [trial.epochs for trial in self.ended if trial.epochs >= max(after, 1)]
        return sum(lengths) / len(lengths) if lengths else self.length

    def refit(self, usual: float, folds: Folds) -> float:
        """Seconds of refitting its best configuration once and looking at the test."""
        trained, looked = _in_folds(folds)
        best = self.best
        if best is None or best.best is None or not best.epochs:
            return usual * self.length / trained
        epochs = len(best.epochs)
        return (
            best.fit_seconds / epochs * best.best.epoch / trained
            + best.evaluate_seconds / epochs * looked
        )


def _in_folds(folds: Folds) -> tuple[float, float]:
    """How much of the development period an epoch of all folds trains on, as a multiple of it; and
    the sealed test as a multiple of their windows.
    """
    development = 1 - folds.test
    if folds.rule == "leave_one_out":
        return folds.count, 1.0
    if not folds.in_time:
        return folds.count - 1, folds.test / development
    # The last fold trains on all but its own window, the one before on all but two, and so on.
    lacking = folds.validation * folds.count * (folds.count + 1) / 2
    trained = folds.count * development - lacking
    return trained / development, folds.test / (folds.count * folds.validation)


class Remaining:
    """A listener that estimates when the study will be done.

    A trial that runs is taken to become as long as those that got as far as it, one to come as long
    as all; their work goes at the pace so far. Refits take what the best configurations' epochs
    took, in proportion to what they train on.
    """

    def __init__(self, later: Collection[str] = ()) -> None:
        self._later = later  # stages that follow the search
        self._families: dict[str, _Family] = {}
        self._of: dict[str, str] = {}  # trial -> family
        self._metric, self._folds, self._workers = "", Folds(), 1
        self._began: float | None = None  # when the first epoch that was reported began
        self._worked = 0.0

    def __call__(self, event: Event) -> None:
        """Take note."""
        match event:
            case SweepStarted():
                self._start(event)
            case TrialStarted():
                before = _Work(len(event.earlier), sum(e.seconds for e in event.earlier))
                self._of[event.id] = event.family
                self._families[event.family].running[event.id] = before
            case EpochReported():
                if self._began is None:  # what workers need to start says nothing of their pace
                    self._began = time.monotonic() - event.report.seconds
                trial = self._families[self._of[event.id]].running[event.id]
                trial.epochs, trial.seconds = (
                    event.report.epoch,
                    trial.seconds + event.report.seconds,
                )
                self._worked += event.report.seconds
            case TrialEnded():
                self._families[event.trial.family].add(event.trial, self._metric)

    def _start(self, event: SweepStarted) -> None:
        experiment = event.experiment
        budget, known = experiment.budget, families_of(experiment.task)
        self._metric, self._workers = experiment.metric.key, event.workers
        self._folds = experiment.folds
        for name, target in event.targets.items():
            family = known.get(event.spaces[name].family)
            fixed = family.epochs if family else None
            refits = experiment.confirm.seeds if family is None or family.random else 1
            self._families[name] = _Family(
                target, budget.seconds or 0.0, fixed or budget.epochs, refits
            )
        for trial in event.done:
            self._families[trial.family].add(trial, self._metric)

    def seconds(self) -> float | None:
        """To the end of the last stage; None: too early to say."""
        families = self._families.values()
        done = [family.work for family in families]
        if self._began is None or not self._worked:
            return None
        usual = sum(w.seconds for w in done) / sum(w.epochs for w in done)
        elapsed = max(time.monotonic() - self._began, 1e-9)
        pace = min(self._worked / elapsed, float(self._workers))
        jobs = [job for family in families for job in family.jobs(usual)]
        # A trial can't be shared out: the longest takes its own time.
        search = max(sum(jobs) / pace, max(jobs, default=0.0))
        return search + self._refits(usual) + seconds_after("search", self._later)

    def _refits(self, usual: float) -> float:
        if "confirm" not in self._later:
            return 0.0
        refits = [(f.refits, f.refit(usual, self._folds)) for f in self._families.values()]
        together = min(self._workers, sum(n for n, _ in refits))
        return sum(n * seconds for n, seconds in refits) / together
