"""What a number was computed with, as far as it can be told. Holds no secret and no variable."""

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from pathlib import Path

import torch

from recsweep.config.schema import Resources
from recsweep.models.engine import engine_of

PACKAGE = Path(__file__).parents[1]
"""The code of recsweep, wherever it is installed."""


def environment(resources: Resources | None = None) -> dict[str, object]:
    """Code, dependencies, threads and hardware of this process, fit for JSON and YAML."""
    return {
        "recsweep": version("recsweep"),
        "code": code_version(PACKAGE),
        "python": platform.python_version(),
        "packages": dependency_versions(),
        "os": platform.platform(),
        "cpu": cpu_model(),
        "simd": torch.backends.cpu.get_cpu_capability(),  # models share a name on rented machines
        "engine": engine_of(resources or Resources()),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())],
        "cuda": torch.version.cuda,
    }


def code_version(package: Path) -> dict[str, str | None]:
    """The commit that `package` lies in, and a digest of its changes since; None: not known.

    `changes` covers tracked and untracked Python files of the package; None means a clean tree.
    A package that is installed below somebody's repository, as in a `.venv`, is no part of it.
    """
    commit = _git(package, "rev-parse", "HEAD")
    if commit is None or not _git(package, "ls-files", "--", "*.py"):
        return {"commit": None, "changes": None}
    digest = hashlib.sha256()
    difference = _git(package, "diff", "HEAD", "--no-color", "--no-ext-diff", "--", ".") or b""
    digest.update(difference)
    new = _git(package, "ls-files", "--others", "--exclude-standard", "-z", "--", "*.py") or b""
    names = sorted(name for name in new.split(b"\0") if name)
    for name in names:
        digest.update(name + b"\0" + (package / os.fsdecode(name)).read_bytes())
    clean = not difference and not names
    return {
        "commit": commit.decode().strip(),
        "changes": None if clean else digest.hexdigest(),
    }


def dependency_versions() -> dict[str, str]:
    """Installed version of every package that recsweep needs to run, those it pulls in included."""
    found: dict[str, str] = {}
    queue = _required("recsweep")
    while queue:
        name = queue.pop()
        if name in found:
            continue
        try:
            found[name] = distribution(name).version
        except PackageNotFoundError:  # for another system or Python
            continue
        queue += _required(name)
    return dict(sorted(found.items()))


def cpu_model() -> str:
    """The processor's name."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        text = ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return name[1].strip() if name else platform.processor() or platform.machine()


def changed(recorded: Mapping[str, object], now: Mapping[str, object]) -> list[str]:
    """Say, one line each, where two environments differ."""
    lines = []
    for key in {**recorded, **now}:
        before, after = recorded.get(key), now.get(key)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            lines += [f"{key}.{line}" for line in changed(before, after)]
        elif before != after:
            lines.append(f"{key}: {before} → {after}")
    return lines


def _required(package: str) -> list[str]:
    mandatory = [r for r in requires(package) or () if "extra ==" not in r]
    names = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in mandatory)
    return [re.sub(r"[-_.]+", "-", name[0]).lower() for name in names if name]


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
