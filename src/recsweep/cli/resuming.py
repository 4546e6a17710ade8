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
    arguments = sys.argv[1:]
    if "--trials" in arguments:
        at = arguments.index("--trials")
        del arguments[at : at + 2]
    return [a for a in arguments if not a.startswith("--trials=")]
