import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from recsweep.errors import BadInput
from recsweep.records.lock import study_lock

HOLD = """
import sys, time
from pathlib import Path
from recsweep.records.lock import study_lock
with study_lock(Path(sys.argv[1])):
    sys.stdout.write("held\\n"); sys.stdout.flush(); time.sleep(60)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_sweep_is_told_who_holds_the_study(tmp_path: Path) -> None:
    first = holder(tmp_path)
    try:
        with pytest.raises(BadInput) as error, study_lock(tmp_path):
            pass
        assert f"process {first.pid} on {os.uname().nodename} since 20" in str(error.value)
    finally:
        first.kill()
        first.wait()


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    first = holder(tmp_path)
    first.kill()
    first.wait()
    assert json.loads((tmp_path / "sweep.lock").read_text())["pid"] == first.pid
    with study_lock(tmp_path):
        assert json.loads((tmp_path / "sweep.lock").read_text())["pid"] == os.getpid()


def test_a_study_is_free_again_after_its_sweep(tmp_path: Path) -> None:
    for _ in range(2):
        with study_lock(tmp_path):
            pass
    assert (tmp_path / "sweep.lock").read_text() == ""


def test_a_study_is_free_though_a_forked_child_still_has_the_file_open(tmp_path: Path) -> None:
    with study_lock(tmp_path):
        child = os.fork()
        if not child:
            signal.pause()
    try:
        with study_lock(tmp_path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
