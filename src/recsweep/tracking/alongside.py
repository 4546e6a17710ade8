"""Publishing beside other work."""

import logging
import threading

from recsweep.config.schema import Tracking
from recsweep.errors import RecsweepError
from recsweep.records.board import Board
from recsweep.tracking.wandb_mode import resolve_mode

log = logging.getLogger(__name__)


def publish_along(board: Board, tracking: Tracking, *, wait: bool) -> None:
    """Publish where runs go online, beside the work: it may fail or be late, and costs nothing.

    Args:
        board: what to publish.
        tracking: decides whether runs go online, and how long `wait` may last.
        wait: for the end of it, as at the end of a study; otherwise it goes on in its thread.
    """
    if resolve_mode(tracking) != "online":
        return

    def work() -> None:
        from recsweep.tracking.publish import (
            publish,  # loads W&B's library for it, which takes long
        )

        try:
            publish(board)
        except RecsweepError as error:
            # At a sweep's start its runs meet the same trouble and say so.
            log.log(logging.WARNING if wait else logging.DEBUG, "%s", error)

    thread = threading.Thread(target=work, name="publish", daemon=True)
    thread.start()
    if wait:
        thread.join(tracking.close_seconds)
