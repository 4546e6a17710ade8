"""A running sweep as a person sees it: a live table in a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table

from recsweep.cli.console import counted, tell
from recsweep.config.schema import written
from recsweep.models.registry import titles
from recsweep.records.study import TrialRow, TrialState
from recsweep.tracking.events import (
    EpochReported,
    Event,
    SweepEnded,
    SweepStarted,
    TrialEnded,
    TrialStarted,
)
from recsweep.tracking.remaining import Remaining

STATES: Mapping[TrialState, str] = {
    "complete": "complete",
    "pruned": "stopped early",
    "failed": "failed",
    "refused": "refused",
}
"""How a trial ended, as people are told."""


@dataclass(slots=True)
class _Family:
    target: int | None  # trials; None: until `budget` is used
    budget: float  # seconds
    running: set[str] = field(default_factory=set)
    ended: Counter[TrialState] = field(default_factory=Counter)
    best: float | None = None
    seconds: float = 0.0

    @property
    def done(self) -> int:
        """Trials of its budget; where there is but one configuration, it may be refused."""
        refused = 0 if self.target == 1 else self.ended["refused"]
        return self.ended.total() - refused

    @property
    def over(self) -> bool:
        if self.target is not None:
            return self.done == self.target
        return self.seconds >= self.budget and not self.running

    @property
    def trials(self) -> str:
        return f"{self.done}" if self.target is None else f"{self.done}/{self.target}"

    @property
    def work(self) -> str:
        if self.target is not None:
            return duration(self.seconds)
        return f"{self.seconds:.0f} of {self.budget:g} s"

    def add(self, trial: TrialRow) -> None:
        self.running.discard(trial.id)
        self.ended[trial.state] += 1
        if trial.state == "complete" and trial.best:
            ascending = sorted({trial.best.value, self.best or trial.best.value})
            self.best = ascending[0 if trial.lower_is_better else -1]


class Progress:
    """A listener. Where `console` is no terminal it prints a line for each trial that ends.

    Args:
        console: where to print; None: standard output.
        later: the verbs that follow the search, which the time left then counts.
    """

    def __init__(self, console: Console | None = None, later: Sequence[str] = ()) -> None:
        self._console, self._later = console or Console(), tuple(later)
        self._remaining = Remaining(later)
        self._families: dict[str, _Family] = {}
        self._family_of: dict[str, str] = {}
        self._live: Live | None = None
        self._limited = False
        self._metric, self._study, self._titles = "", "", dict[str, str]()
        self._began = time.monotonic()

    def __call__(self, event: Event) -> None:
        """Take note, and show it."""
        self._remaining(event)
        match event:
            case SweepStarted():
                self._start(event)
            case TrialStarted():
                self._family_of[event.id] = event.family
                self._families[event.family].running.add(event.id)
            case EpochReported():
                self._families[self._family_of[event.id]].seconds += event.report.seconds
            case TrialEnded():
                self._families[event.trial.family].add(event.trial)
                if self._live is None:
                    self._line(event.trial)
            case SweepEnded():
                self._stop()

    def _start(self, event: SweepStarted) -> None:
        self._began = time.monotonic()
        self._limited = bool(event.experiment.limits.given)
        self._metric, self._study = written(event.experiment.metric.key), event.experiment.study
        budget = event.experiment.budget.seconds or 0.0
        kinds = {name: space.family for name, space in event.spaces.items()}
        self._titles = titles(kinds)
        self._families = {name: _Family(target, budget) for name, target in event.targets.items()}
        for trial in event.done:
            family = self._families[trial.family]
            family.add(trial)
            family.seconds += trial.seconds
        if self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=self.table, refresh_per_second=2
            )
            self._live.start()
            return
        done = sum(family.done for family in self._families.values())
        if event.experiment.budget.seconds is None:
            all_, before = counted(self._total or 0, "trial"), f"{done} of them"
        else:
            all_, before = f"{budget:g} s a tuned family", counted(done, "trial")
        all_ += f", {before} done before" if done else ""
        tell(self._console, f"{self._study}: {all_}, {event.workers} at once")

    def _stop(self) -> None:
        for family in self._families.values():
            family.running.clear()
        if self._live is not None:
            self._live.stop()
            self._live = None
        exceeding = [
            f"{name} by {family.seconds - family.budget:.1f} s"
            for name, family in self._families.items()
            if family.target is None and family.seconds > family.budget
        ]
        if exceeding:
            tell(
                self._console,
                f"Trials that had begun were finished, beyond the budget: {', '.join(exceeding)}",
            )

    def _line(self, trial: TrialRow) -> None:
        family = self._families[trial.family]
        done = sum(family.done for family in self._families.values())
        if self._total is not None:
            at = f"{done}/{self._total}"
        else:
            at = family.work if family.target is None else family.trials
        score = f"{self._metric} {trial.best.value:z.4f}" if trial.best else "no score"
        seconds, epochs = trial.seconds, len(trial.epochs)
        if trial.state == "refused":
            told = trial.reason
        else:
            told = f"{score}, {counted(epochs, 'epoch')} in {duration(seconds)}"
        reason = f" ({trial.reason})" if trial.state == "failed" else ""
        tell(
            self._console, f"[{at}] {trial.id} {STATES[trial.state]}: {told}{self._left()}{reason}"
        )

    def table(self) -> Table:
        """The table as it stands."""
        elapsed = duration(time.monotonic() - self._began)
        stage = f", stage 2 of {2 + len(self._later)}" if self._later else ""
        table = Table(
            box=box.SIMPLE_HEAD,
            title=f"{self._study}: search{stage}, {elapsed}{self._left()}",
            title_justify="left",
            title_style="",
            pad_edge=False,
            padding=0,
        )
        table.add_column("family", overflow="fold")  # a name may take two lines, a number never
        states = [s for s in STATES if s != "refused" or self._limited]
        for name in ("running", *(STATES[s] for s in states), "trials", self._metric, "work"):
            table.add_column(name.replace(" ", "\n"), justify="right", no_wrap=True)
        for name, family in self._families.items():
            best = "" if family.best is None else f"{family.best:z.4f}"
            ends = [str(family.ended[state] or "") for state in states]
            if failed := family.ended["failed"]:
                ends[states.index("failed")] = f"[red]{failed}[/red]"
            table.add_row(
                self._titles[name],
                str(len(family.running) or ""),
                *ends,
                family.trials,
                best,
                family.work,
                style="dim" if family.over else "",
            )
        return table

    @property
    def _total(self) -> int | None:
        """Trials in all; None: nobody knows."""
        targets = [family.target for family in self._families.values()]
        return None if None in targets else sum(target or 0 for target in targets)

    def _left(self) -> str:
        """To the end of the last stage."""
        left = self._remaining.seconds()
        return "" if left is None else f", about {duration(left)} left"


def duration(seconds: float) -> str:
    """`12 s`, `3 min 05 s`, `2 h 05 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
