"""Recorded work that is done again, each with what it prints."""

from pathlib import Path

import recsweep
from recsweep.cli.console import counted, hints, out, say, sweep_listeners, waiting
from recsweep.cli.resuming import resumable
from recsweep.errors import WorkFailed


def reproduce(best: Path, sealed: bool, quiet: bool) -> None:
    """Rebuild a configuration and print every figure beside its record.

    Raises:
        WorkFailed: a figure differs.
    """
    from recsweep.cli.confirmation_lines import failure, reproduction_lines, reproduction_table
    from recsweep.cli.refit_progress import RefitProgress

    with RefitProgress(out, quiet) as progress:
        reproduction = recsweep.reproduce(
            best, sealed=sealed, on_epoch=progress.epoch, on_end=progress
        )
    out.print(reproduction_table(reproduction))
    say(*reproduction_lines(reproduction))
    if not reproduction.passed:
        raise WorkFailed(failure(reproduction))
    say(f"{len(reproduction.figures)} of {len(reproduction.figures)} figures agree.")


def backtest(best: Path, every: str, trials: int | None, lang: str, quiet: bool) -> None:
    """Walk a best configuration through the sealed test's period, and say how long it stays best.

    Raises:
        WorkFailed: a search was stopped; says how to resume.
    """
    from recsweep.cli.refit_progress import RefitProgress
    from recsweep.reporting.backtest.view import BacktestView

    with RefitProgress(out, quiet, "fits") as progress, resumable():
        done = recsweep.backtest(
            best,
            every,
            search=trials,
            lang=lang,
            listeners=[progress.give_way, *sweep_listeners(quiet)],
            on_end=progress.walked,
        )
    view = BacktestView(done.backtest, done.experiment, "en")
    say(*view.answer(), *view.further())
    for caution in view.cautions():
        say(caution, warning=True)
    hints((str(done.page), "the page, step by step"))


def replay(folder: Path) -> None:
    """Derive a journal again.

    Raises:
        WorkFailed: a line differs.
    """
    with waiting("Replaying the journal"):
        found = recsweep.replay(folder)
    if found.difference is not None:
        raise WorkFailed(f"{folder}: {found.difference}")
    say(
        f"{counted(found.suggestions, 'suggestion')} and "
        f"{counted(found.ends, 'end of a trial', 'ends of trials')}, in "
        f"{counted(found.sessions, 'session')} and {counted(found.lines, 'line')}, follow from the "
        "rules."
    )
