"""The lock says what is installed: every package, exactly one version, and all that is declared."""

import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LINES = [
    line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
]  # fmt: skip


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def locked() -> dict[str, str]:
    return {name_of(line): line.partition("==")[2].partition(";")[0].strip() for line in LINES}


def test_every_line_of_the_lock_is_one_exact_version_of_the_index() -> None:
    for line in LINES:
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+-]+( *;.*)?", line), line
    assert len(locked()) == len(LINES)


def test_every_package_that_recsweep_needs_is_locked_down_to_the_last() -> None:
    lock, queue, seen = locked(), ["recsweep"], set()
    while queue:
        package = queue.pop()
        if package in seen:
            continue
        seen.add(package)
        try:
            needed = requires(package) or []
        except PackageNotFoundError:  # for another system or Python
            continue
        if package != "recsweep":
            assert package in lock or package == "setuptools", package  # builds, and comes with pip
        queue += [name_of(r) for r in needed if _applies(r)]


def _applies(requirement: str) -> bool:
    """On this system and Python, without extras?"""
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate({"extra": ""})


def test_what_is_installed_is_what_the_lock_says() -> None:
    for package, wanted in locked().items():
        try:
            found = version(package)
        except PackageNotFoundError:
            continue
        assert found.partition("+")[0] == wanted.partition("+")[0], package
