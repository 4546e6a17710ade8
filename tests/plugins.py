"""Packages that bring families and tasks: installed as anybody would, used by commands."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
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
        timeout=540, check=False,
    )  # fmt: skip


ONE_AFTER_THE_OTHER = """
import json, sys
from recsweep.cli import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["recsweep", *command]
    try:
        main()
        status = 0
    except SystemExit as ended:
        status = ended.code or 0
    print("\\nstatus", status, flush=True)
"""


def statuses(
    site: Path, root: Path, *commands: Sequence[str], then: str = ""
) -> tuple[list[int], str]:
    """How each of several commands ends, in one process; and what they write to stderr.

    `then`: Python that runs after them. If it fails, its traceback is the end of that text.
    """
    done = python(site, root, "-c", ONE_AFTER_THE_OTHER + then, json.dumps(commands))
    words = [line.split() for line in done.stdout.splitlines()]
    return [int(line[1]) for line in words if line[:1] == ["status"]], done.stderr


def recsweep(site: Path, root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command."""
    return python(site, root, "-m", "recsweep", *arguments)
