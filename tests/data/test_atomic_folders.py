"""Folders that a killed process left half made."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recsweep.config.schema import Experiment
from recsweep.data.atomic_folders import temporary_folder
from recsweep.data.prepare import prepare

HANG = """
import sys, time
from pathlib import Path
from recsweep.config.schema import Experiment
from recsweep.data import prepare as module

def hang(*_):
    print("all is written, nothing published", flush=True)
    time.sleep(100)

module._publish = hang
module.prepare(Experiment.model_validate_json(sys.argv[1]), Path(sys.argv[2]))
"""


def hanging(experiment: Experiment, root: Path) -> "subprocess.Popen[str]":
    """A preparation in a process of its own that never comes to its last step."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANG, experiment.model_dump_json(), str(root)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("all is written")
    return process


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def hidden(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name.startswith(".")}


def test_what_a_killed_preparation_left_goes_with_the_next_but_nothing_of_a_live_one(
    ten_rows: list[tuple[str, str, int, str]],
    log_of: Callable[..., Path],
    experiment_on: Callable[..., Experiment],
    tmp_path: Path,
) -> None:
    data, experiment = tmp_path / "data", experiment_on(log_of(ten_rows))
    kill(hanging(experiment, tmp_path))
    left = hidden(data)
    assert len(left) == 1
    live = hanging(experiment, tmp_path)
    try:
        (mine,) = hidden(data)
        assert {mine} != left
        done = prepare(experiment, tmp_path)
        assert hidden(data) == {mine}
        assert (data / mine / "manifest.json").exists()
    finally:
        kill(live)
    assert hidden(data) == {mine}
    other = prepare(experiment_on(log_of(ten_rows[:-1])), tmp_path)
    assert {path.name for path in data.iterdir()} == {done.folder.name, other.folder.name}


def test_only_what_looks_like_a_half_made_folder_is_removed(tmp_path: Path) -> None:
    kept = {".cache", ".mine-0123abc", "mine-0123abcd", ".a-0123abcdef"}
    for name in (*kept, ".mine-0123abcd"):
        (tmp_path / name).mkdir()
    (tmp_path / ".file-0123abcd").touch()
    with temporary_folder(tmp_path, "new") as made, temporary_folder(tmp_path, "new") as second:
        assert made.is_dir()
        assert second.is_dir()
    assert {path.name for path in tmp_path.iterdir()} == kept | {".file-0123abcd"}


def test_without_locks_nothing_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr("fcntl.flock", refuse)
    (tmp_path / ".mine-0123abcd").mkdir()
    with temporary_folder(tmp_path, "new") as made:
        assert made.is_dir()
    assert hidden(tmp_path) == {".mine-0123abcd"}
