"""A disk that fills up or can't be written to, torn lines, a clock set back, a second sweep."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from faults.sweeping import Sweep, journal_lines, start, wait_until

from recsweep.errors import BadInput, WorkFailed
from recsweep.records.lock import study_lock
from recsweep.tracking.events import Event, TrialEnded

pytestmark = pytest.mark.usefixtures("local_ray")


@contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[Callable[..., None]]:
    """A file system of its own; gives what mounts it again."""
    place.mkdir(exist_ok=True)

    def mount(*options: str) -> None:
        subprocess.run(["mount", *options, *arguments, str(place)], check=True, timeout=30)

    try:
        mount()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a file system")
    try:
        yield mount
    finally:
        subprocess.run(["umount", str(place)], check=False, timeout=30)


def after_a_trial(action: Callable[[], None]) -> Callable[[Event], None]:
    done: list[bool] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrialEnded) and not done:
            done.append(True)
            action()

    return listen


def test_the_store_is_full(sweep: Sweep, request: pytest.FixtureRequest) -> None:
    sweep.seconds = 0.0
    with mounted(sweep.folder, "-t", "tmpfs", "-o", "size=512k", "recsweep-test"):
        filler = sweep.folder / "filler"

        def fill() -> None:
            with filler.open("wb") as file:
                try:
                    while True:
                        os.write(file.fileno(), b"x" * 512)
                except OSError:
                    return

        with pytest.raises(WorkFailed, match=r"No space left on device.*same command again"):
            sweep.run(listeners=(after_a_trial(fill),))
        before = sweep.study().trials
        assert before
        filler.unlink()
        request.getfixturevalue("trials_here")
        sweep.run()
        sweep.check(before, lost=10)


def test_the_store_is_read_only_for_a_while(sweep: Sweep) -> None:
    disk = sweep.work / "disk"
    with disk.open("wb") as file:
        file.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(disk)], check=False)
    with mounted(sweep.folder, "-o", "loop", str(disk)) as mount:

        def abort() -> None:
            mount("-o", "remount,abort")  # as the kernel does it when a disk fails

        with pytest.raises(WorkFailed, match=r"Read-only file system.*same command again"):
            sweep.run(listeners=(after_a_trial(abort),))
        with pytest.raises(WorkFailed, match="Read-only file system"):
            sweep.run()
        before = sweep.study().trials
        subprocess.run(["umount", str(sweep.folder)], check=True)
        mount()
        sweep.run()
        sweep.check(before, lost=10)


@pytest.mark.parametrize("log", ["optuna.log", "wandb"])
def test_the_last_line_of_a_log_is_torn(sweep: Sweep, log: str) -> None:
    process = start(sweep)
    wait_until(lambda: journal_lines(sweep.folder, '"step":') >= 7, process)
    process.kill()
    process.communicate()
    before = sweep.study().trials
    if log == "optuna.log":
        with (sweep.folder / log).open("ab") as file:
            file.write(b'{"op_code":7,"worker_id":"x","trial')
    else:
        run = sweep.folder / "wandb" / "offline-run-1" / "run-1.wandb"
        run.parent.mkdir(parents=True)
        run.write_bytes(b":W&B\x00\x00\x00torn")
    sweep.run()
    sweep.check(before, lost=2)


def test_the_sessions_file_is_damaged(sweep: Sweep) -> None:
    sweep.folder.mkdir()
    path = sweep.folder / "sessions.json"
    path.write_text('[{"started": "2026-')
    with pytest.raises(BadInput, match=r"sessions\.json: is damaged .* move it away"):
        sweep.run()
    path.unlink()
    sweep.run()
    sweep.check()


def test_the_clock_is_set_back(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna.storages.journal._storage as journal

    from recsweep.search import sessions

    now = time.time

    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz or UTC) - timedelta(days=1)

    def set_back() -> None:
        monkeypatch.setattr(time, "time", lambda: now() - 86400)
        monkeypatch.setattr(journal, "datetime", Yesterday)
        monkeypatch.setattr(sessions, "datetime", Yesterday)

    sweep.run(listeners=(after_a_trial(set_back),))
    assert any(trial.ended < trial.started for trial in sweep.study().trials)
    sweep.check()


HOLD = """
import sys, time
from pathlib import Path
from recsweep.records.lock import study_lock
with study_lock(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.usefixtures("trials_here")
def test_a_second_sweep_is_told_of_the_first(sweep: Sweep) -> None:
    sweep.seconds = 0.0
    for verb in ("search", "confirm"):
        first = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(sweep.folder), verb], stdout=subprocess.PIPE, text=True
        )
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        host = os.uname().nodename
        word = rf"recsweep {verb} is running \(process {first.pid} on {host} since 20"
        try:
            with pytest.raises(BadInput, match=word):
                sweep.run()
            with pytest.raises(BadInput, match=word), study_lock(sweep.folder, "confirm"):
                pass
        finally:
            first.kill()
            first.communicate()
    sweep.run()
    sweep.check()
