"""Which machine and which GPU a trial gets: two machines with two pretended GPUs each."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from sweeps import study_of

from recsweep.search.placement import places

DIARY = Path(__file__).parent.parent / "diary.py"
Entries = list[dict[str, Any]]


@pytest.fixture(scope="module")
def diaries() -> tuple[Entries, Entries]:
    """Of two sweeps of two trials at once: on half a GPU each, and on a whole one."""
    done = subprocess.run(
        [sys.executable, DIARY, "2", "0.5", "2", "1", "2"],
        capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    halves, wholes = json.loads(done.stdout.splitlines()[-1])
    return halves, wholes


def sharing(entries: Entries) -> dict[tuple[str, str], set[int]]:
    """(machine, its GPUs as a process sees them) -> the processes."""
    found = defaultdict(set)
    for entry in entries:
        found[entry["node"], entry["visible"]].add(entry["pid"])
    return found


def test_a_process_sees_the_gpu_that_it_was_given_and_no_other(
    diaries: tuple[Entries, Entries],
) -> None:
    for entries in diaries:
        assert len({entry["pid"] for entry in entries}) == 2
        seen = {(entry["pid"], entry["gpus"], entry["visible"]) for entry in entries}
        assert len(seen) == 2  # the same in every epoch, whichever trial it was
        assert {gpus for _, gpus, _ in seen} <= {"0", "1"}
        assert all(gpus == visible for _, gpus, visible in seen)


def test_fractions_fill_a_gpu_before_any_other_is_touched(
    diaries: tuple[Entries, Entries],
) -> None:
    halves, _ = diaries
    assert [len(processes) for processes in sharing(halves).values()] == [2]


def test_whole_gpus_are_never_shared_and_spread_over_machines(
    diaries: tuple[Entries, Entries],
) -> None:
    _, wholes = diaries
    found = sharing(wholes)
    assert [len(processes) for processes in found.values()] == [1, 1]
    assert len({machine for machine, _ in found}) == 2


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"cpu": 1}, 4), ({"cpu": 1, "gpu": 1}, 2), ({"cpu": 0.5, "gpu": 0.25}, 8),
        ({"cpu": 0.25, "gpu": 0.3}, 6), ({"cpu": 1, "custom": {"a100": 1}}, 3),
        ({"cpu": 1, "custom": {"other": 1}}, 0), ({"cpu": 8}, 0), ({"cpu": 0.5, "gpu": 2}, 1),
    ],
)  # fmt: skip
def test_places_are_counted_by_the_scarcest_resource(asked: dict[str, object], wanted: int) -> None:
    machine = {"CPU": 4.0, "GPU": 2.0, "a100": 3.0}
    assert places(machine, study_of("a", resources=asked).resources) == wanted
