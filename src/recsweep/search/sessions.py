"""Sessions, the runs of the sweep command, and their times: `results/<study>/sessions.json`."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from recsweep.errors import BadInput
from recsweep.records.atomic import write_text
from recsweep.records.study import SweepSession


def read_sessions(folder: Path) -> tuple[SweepSession, ...]:
    """All sessions so far, the oldest first.

    Raises:
        BadInput: the file can't be read.
    """
    path = folder / "sessions.json"
    if not path.exists():
        return ()
    try:
        return tuple(
            SweepSession(**{**entry, "started": datetime.fromisoformat(entry["started"])})
            for entry in json.loads(path.read_text("utf-8"))
        )
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadInput(
            f"{path}: is damaged ({type(error).__name__}: {error}); move it away, "
            "only the times of earlier sessions are lost"
        ) from None


class SessionClock:
    """The running session; saved again after every trial, so that even a killed one is known."""

    def __init__(self, folder: Path, workers: int, start_seconds: float) -> None:
        self._folder, self._workers, self._start_seconds = folder, workers, start_seconds
        self._earlier = read_sessions(folder)
        self._started, self._zero = datetime.now(UTC), time.monotonic()

    @property
    def index(self) -> int:
        """From 0."""
        return len(self._earlier)

    def session(self, busy_seconds: float, trials: int) -> SweepSession:
        """The session as it stands."""
        return SweepSession(
            started=self._started,
            wall_seconds=time.monotonic() - self._zero,
            start_seconds=self._start_seconds,
            workers=self._workers,
            busy_seconds=busy_seconds,
            trials=trials,
        )

    def save(self, busy_seconds: float, trials: int) -> SweepSession:
        """Write it."""
        session = self.session(busy_seconds, trials)
        entries = [
            {**asdict(s), "started": s.started.isoformat()} for s in (*self._earlier, session)
        ]
        write_text(self._folder / "sessions.json", json.dumps(entries, indent=1) + "\n")
        return session
