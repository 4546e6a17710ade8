"""How to go on with what was stopped."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from recsweep.cli.console import command
from recsweep.errors import WorkFailed


@contextmanager
def resumable() -> Iterator[None]:
    """Ctrl-C in a search is a line that says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        raise WorkFailed(
            f"stopped; every finished trial is kept. Resume: {command(*without_trials())}"
        ) from None


def without_trials() -> list[str]:
    """This command's arguments; an extension is asked for once."""
    return without("--trials")


def without(*options: str) -> list[str]:
    """This command's arguments but for these options, each of which has a value."""
    left, kept = sys.argv[1:], list[str]()
    while left:
        argument, *left = left
        if argument in options:
            left = left[1:]
        elif not argument.startswith(tuple(f"{option}=" for option in options)):
            kept.append(argument)
    return kept
