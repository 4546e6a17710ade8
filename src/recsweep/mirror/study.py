"""A study's mirror: opened, taken over from, brought up to date."""

import logging
import threading
from pathlib import Path

from recsweep.config.schema import Experiment
from recsweep.errors import BadInput, RecsweepError
from recsweep.mirror.copy import Mirror
from recsweep.mirror.listener import push
from recsweep.records.files import read_study
from recsweep.records.lock import study_lock

log = logging.getLogger(__name__)

LIMIT = 120.0
"""Seconds that a command's end waits for a store."""
INTERRUPT_LIMIT = 3.0
"""The same after Ctrl-C."""


def open_mirror(experiment: Experiment, folder: Path) -> Mirror | None:
    """The study's mirror, taken over from where it is ahead of `folder`; None: it has none.

    A store that does not answer costs a warning.

    Raises:
        BadInput: a key that can't be right, or another study lies there.
    """
    if experiment.storage.mirror is None:
        return None
    mirror = Mirror(experiment.storage.mirror, folder)
    with study_lock(folder):
        try:
            if came := mirror.pull():
                log.warning("%s: took over %d files of %s", folder, came, mirror.where)
        except BadInput:
            raise
        except Exception as error:  # of whatever driver the store has
            log.warning("%s: can't be read now (%s)", mirror.where, str(error).strip()[:200])
    return mirror


def renew_mirror(mirror: Mirror, limit: float = LIMIT) -> None:
    """Bring it up to date; a store that does not answer within `limit` seconds costs a warning."""
    thread = threading.Thread(target=push, args=(mirror,), name="mirror", daemon=True)
    thread.start()
    thread.join(limit)
    if thread.is_alive():
        log.warning("%s: not up to date after %.0f s; the study is whole here", mirror.where, limit)


def mirror_study(folder: Path) -> None:
    """`renew_mirror` of the study in `folder`, if it has one, after a command that changed it."""
    if not (folder / "study.json").exists():  # run files alone, of a driver that was killed
        return
    try:
        where = read_study(folder).experiment.storage.mirror
        mirror = Mirror(where, folder) if where else None
    except RecsweepError as error:
        log.warning("the mirror was not brought up to date: %s", error)
        return
    if mirror is not None:
        renew_mirror(mirror)
