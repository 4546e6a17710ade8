"""Sessions, the runs of the sweep command, and their times: `results/<study>/sessions.json`."""

import time
from datetime import UTC, datetime
from pathlib import Path

from recsweep.errors import BadInput
from recsweep.records.atomic import write_bytes
from recsweep.records.study import SESSIONS, SweepSession


def read_sessions(folder: Path) -> tuple[SweepSession, ...]:
    """All sessions so far, the oldest first.

    Raises:
        BadInput: the file can't be read.
    """
    path = folder / "sessions.json"
    if not path.exists():
        return ()
    try:
        return SESSIONS.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
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
        content = SESSIONS.dump_json((*self._earlier, session), indent=1)
        write_bytes(self._folder / "sessions.json", content + b"\n")
        return session
