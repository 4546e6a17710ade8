"""Packages that bring families and tasks: installed as anybody would, used by commands."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "plugin"


def installed(name: str, factory: pytest.TempPathFactory) -> Path:
    """A folder that the package is installed into."""
    site, source = factory.mktemp("site"), factory.mktemp("source") / "package"
    shutil.copytree(HERE / name, source)  # a build writes beside what it builds
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--no-build-isolation", "--target", site, source], check=True)
    return site


def python(site: Path, root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in `root` with the package on its path."""
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        timeout=280, check=False,
    )  # fmt: skip


def recsweep(site: Path, root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command."""
    return python(site, root, "-m", "recsweep", *arguments)
