"""What is done around a search, where no trial runs: said, so that the screen is never dead."""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from recsweep.cli.console import waiting
from recsweep.tracking.events import Event, SweepEnded, SweepStarted


class SearchWaits:
    """A context manager; `begun` hears events before who shows trials, `ended` after it."""

    def __init__(self, quiet: bool) -> None:
        self._quiet, self._stack = quiet, ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(waiting("Starting Ray", self._quiet))
        return self

    def begun(self, event: Event) -> None:
        """Make way."""
        if isinstance(event, SweepStarted):
            self._stack.close()

    def ended(self, event: Event) -> None:
        """Trials are over; files are written and runs are closed."""
        if isinstance(event, SweepEnded):
            self._stack.enter_context(waiting("Writing the study's files", self._quiet))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
