"""Refits as they end: one bar in a terminal, one line each elsewhere."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from recsweep.cli.console import tell
from recsweep.cli.sweep_progress import duration
from recsweep.records.live import seconds_after
from recsweep.stages.backtest.fits import Fit
from recsweep.stages.confirm.refits import RefitEnded
from recsweep.stages.fuse.rebuild import Candidate
from recsweep.tracking.events import Event
from recsweep.training.epoch import EpochReport


class RefitProgress:
    """A context manager that is called with every refit, or epoch on the folds, that ends."""

    def __init__(
        self, console: Console, quiet: bool, counted: str = "refits", later: Sequence[str] = ()
    ) -> None:
        self._console, self._quiet = console, quiet
        self._later = seconds_after("confirm", later)  # of the stages that follow
        self._bar = Progress(
            TextColumn(counted),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._quiet:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def give_way(self, event: Event) -> None:
        """A search shows itself, and a terminal has room for one bar."""
        if self._bar.live.is_started:  # elsewhere than in a terminal each stop is an empty line
            self._bar.stop()

    def epoch(self, report: EpochReport) -> None:
        """Show an epoch on all folds."""
        if not self._quiet and self._console.is_terminal:
            seconds = report.fit_seconds + report.evaluate_seconds
            self._bar.update(
                self._task, description=f"epoch {report.epoch} done in {seconds:.1f} s"
            )

    def __call__(self, ended: RefitEnded) -> None:
        """Show it."""
        job = ended.job
        left = duration(ended.seconds_left + self._later)
        what = f"{job.family}, seed {job.seed} done, about {left} left"
        self._show(ended.done, ended.total, what)

    def trained(self, family: str, epoch: int, epochs: int, seconds_left: float) -> None:
        """Show an epoch of a refit that is the only one."""
        left = duration(seconds_left)
        self._show(epoch, epochs, f"{family} epoch {epoch} done, about {left} left")

    def rebuilt(self, candidate: Candidate, done: int, total: int, seconds_left: float) -> None:
        """Show a trial that was trained again."""
        left = duration(seconds_left)
        self._show(done, total, f"{candidate.trial} rebuilt, about {left} left")

    def walked(self, fit: Fit, done: int, total: int, seconds_left: float) -> None:
        """Show a step of a backtest."""
        left = duration(seconds_left)
        self._show(done, total, f"step {fit.step + 1} fitted, about {left} left")

    def _show(self, done: int, total: int, what: str) -> None:
        if self._quiet:
            return
        if self._console.is_terminal:
            self._bar.start()  # again, after a search
            self._bar.update(self._task, completed=done, total=total, description=what)
        else:
            tell(self._console, f"[{done}/{total}] {what}")
