"""One process at a time that changes a study."""

import fcntl
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from recsweep.errors import BadInput


@contextmanager
def study_lock(folder: Path, verb: str = "sweep") -> Iterator[None]:
    """Hold a study for the length of a stage.

    The operating system lets go of the lock when its process ends, however it ends, so a lock is
    never stale; the file's text is for people.

    Raises:
        BadInput: another process holds it; names that process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sweep.lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(f"{folder}: {_holder(path)}; wait for it or stop it") from None
        file.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        json.dump({"pid": os.getpid(), "host": platform.node(), "since": since, "verb": verb}, file)
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)
            # Closing isn't enough: a child that was just forked keeps a copy of the file open.
            fcntl.flock(file, fcntl.LOCK_UN)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text("utf-8"))
        return (
            f"recsweep {holder['verb']} is running (process {holder['pid']} on {holder['host']} "
            f"since {holder['since']})"
        )
    except (ValueError, KeyError):  # read between its lock and its line
        return "another recsweep has just started"
