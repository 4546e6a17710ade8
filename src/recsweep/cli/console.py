"""Consoles that the commands print with, lines for programs, and what to type next."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from recsweep.cli.json_lines import JsonLines

out = Console()
err = Console(stderr=True)


def speak(json: bool) -> None:
    """With --json, nothing but its lines goes to standard output."""
    out.quiet = json


def json_lines() -> "JsonLines":
    """Where a command says what it found, for programs; silent without --json."""
    from recsweep.cli.json_lines import JsonLines

    return JsonLines(sys.stdout if out.quiet else None)


def sweep_listeners(quiet: bool, later: Sequence[str] = ()) -> list[Any]:
    """Who shows a sweep as it goes; `later` names the stages that follow."""
    from recsweep.cli.sweep_progress import Progress

    if out.quiet:
        return [json_lines()]
    return [] if quiet else [Progress(out, later)]


PATIENCE = 2.0
"""Seconds of silence before a log is told what is being done; a terminal is told at once."""


@contextmanager
def waiting(what: str, quiet: bool = False) -> Iterator[None]:
    """Nobody watches a screen on which nothing moves."""
    if quiet or out.quiet:
        yield
        return
    if out.is_terminal:
        with out.status(f"{what} …"):
            yield
        return
    timer = Timer(PATIENCE, lambda: out.print(f"{what} …", highlight=False))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def counted(n: int, noun: str, many: str | None = None) -> str:
    """`1 worker`, `2 workers`; `many` where an s is not enough."""
    return f"{n:,} {noun if n == 1 else many or noun + 's'}"


def tell(console: Console, *lines: str, warning: bool = False) -> None:
    """Lines for people. A terminal's are broken between words, so that no number is cut; elsewhere
    each is whole, so that a path in a log can be found and copied.
    """
    mark = "[bold yellow]![/] " if warning else ""
    for line in lines:
        text = f"{mark}{escape(line)}"
        console.print(text, highlight=False, soft_wrap=not console.is_terminal)


def say(*lines: str, warning: bool = False) -> None:
    """On standard output."""
    tell(out, *lines, warning=warning)


def aside(*lines: str) -> None:
    """On standard error, where results are on standard output."""
    tell(err, *lines)


def warn(line: str) -> None:
    """A caveat, on standard error."""
    tell(err, line, warning=True)


ALIGNED = 72
"""A longer command doesn't push what is said of the others off the screen."""


def hints(*lines: tuple[str, str]) -> None:
    """Where the results are and what to type next."""
    width = max((n for where, _ in lines if (n := len(where)) <= ALIGNED), default=0)
    for where, what in lines:
        out.print(f"{where:{width}}  # {what}", markup=False, highlight=False, soft_wrap=True)


def command(*arguments: str) -> str:
    """A command of recsweep as the user can type it."""
    return f"{program('recsweep')} {shlex.join(arguments)}"


def program(name: str) -> str:
    """A program as the user can type it: with its folder, unless that is on the PATH."""
    beside = Path(sys.executable).with_name(name)
    if shutil.which(name) or not beside.exists():
        return name
    return os.path.relpath(beside)
