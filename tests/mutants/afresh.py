"""Tests run from what is on disk: slow, and right for whatever was changed."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from mutants.forks import Ended, Limits, in_fork


def run(folder: Path, tests: Sequence[str], limits: Limits) -> Ended:
    """Import the copy's sources in a process of its own; run these files until a test fails."""

    def work() -> int:
        enter(folder)
        return int(pytest.main(arguments(folder, tests), plugins=[_QuickFirst(tests)]))

    return in_fork(work, limits)


class _QuickFirst:
    """A plugin of pytest: most changes are noticed before anything trains."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.place = {name: place for place, name in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda i: (starts_ray(i), self.place[i.nodeid.partition("::")[0]]))


def starts_ray(item: pytest.Item) -> bool:
    """Ray's start takes longer than all else."""
    return "local_ray" in getattr(item, "fixturenames", ()) or bool(item.get_closest_marker("slow"))


def enter(folder: Path) -> None:
    """Use the copy's sources from here on, and say nothing."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os.chdir(folder)
    os.environ |= {
        "PYTHONPATH": str(folder / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",  # of two sources of one second, the first would stay
        "RAY_TMPDIR": "/tmp",
        "XDG_CACHE_HOME": str(folder / ".cache"),
    }
    sys.path.insert(0, str(folder / "src"))
    sys.dont_write_bytecode = True


def arguments(folder: Path, tests: Sequence[str]) -> list[str]:
    """What pytest is told."""
    quick = ("-q", "-x", "-s", "-p", "no:cacheprovider", "-m", "not browser and not long")
    return [*quick, f"--basetemp={folder}/.tests", *tests]
