"""The command line. Exit status: 0 done, 1 the work failed or was stopped, 2 bad input."""

import logging
import sys
import warnings

from rich.logging import RichHandler
from rich.markup import escape

from recsweep.cli.commands import app
from recsweep.cli.console import err
from recsweep.cli.streams import write_anything
from recsweep.errors import RecsweepError
from recsweep.tracking import stand_apart

__all__ = ["app", "err", "main"]


def main() -> None:
    """Run the command line; a problem is one line, never a traceback."""
    write_anything()
    logging.basicConfig(
        level=logging.WARNING,
        format="%(message)s",
        handlers=[RichHandler(console=err, show_time=False, show_path=False)],
    )
    stand_apart()
    warnings.simplefilter("ignore")  # of libraries; ours are log lines
    try:
        app()
    except RecsweepError as error:
        err.print(f"[red]recsweep:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(error.exit_status)
