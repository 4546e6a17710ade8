"""What a number was computed with, as far as it can be told. Holds no secret and no variable."""

import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Mapping
from importlib.metadata import (
    PackageNotFoundError,
    distribution,
    packages_distributions,
    requires,
)
from pathlib import Path

import torch

import recsweep
from recsweep.config.schema import Resources
from recsweep.models.engine import engine_of
from recsweep.training.cores import usable_cores

PACKAGE = Path(recsweep.__file__).parent
CODE = ("*.py", "*.so", "*.cpp", "*.h")
"""Files of the package that decide what it does; others are found through them."""

UNKNOWN: dict[str, str | None] = {"commit": None, "changes": None}


def environment(resources: Resources | None = None) -> dict[str, object]:
    """Code, dependencies, hardware, and the threads that training has, fit for JSON and YAML."""
    resources = resources or Resources()
    return {
        "recsweep": recsweep.__version__,
        "code": code_version(PACKAGE),
        "python": platform.python_version(),
        "packages": dependency_versions(),
        "os": platform.platform(),
        "cpu": cpu_model(),
        "simd": torch.backends.cpu.get_cpu_capability(),  # models share a name on rented machines
        "engine": engine_of(resources),
        "cores": usable_cores(),
        "threads": resources.threads,
        "gpus": [_gpu(n) for n in range(torch.cuda.device_count())],
        "cuda": torch.version.cuda,
    }


def code_version(package: Path) -> dict[str, str | None]:
    """The commit that `package` was checked out from, and a digest of its changes since.

    A commit says which code ran only where its repository is the package's own: the package lies
    at its top level or in `src/` there, and its files are tracked. A virtual environment in another
    project's folder belongs to that project's repository and is no part of its commits.

    `commit` None: not known. `changes` covers tracked files of the package, and code that isn't
    tracked, ignored files too, as well as files that git was told not to look at; None means a
    clean tree.
    """
    top = _git(package, "rev-parse", "--show-toplevel")
    commit = _git(package, "rev-parse", "HEAD")
    tracked = _git(package, "ls-files", "-v", "-z", "--", ".")
    difference = _git(package, "diff", "HEAD", "--no-color", "--no-ext-diff", "--", ".")
    new = _git(package, "ls-files", "--others", "-z", "--", *CODE)
    if top is None or commit is None or not tracked or difference is None or new is None:
        return dict(UNKNOWN)
    folder, root = package.resolve(), Path(os.fsdecode(top).rstrip("\n")).resolve()
    if folder.parent not in (root, root / "src"):
        return dict(UNKNOWN)
    digest = hashlib.sha256(difference)
    # Of files marked assume-unchanged (a small letter) or skip-worktree (S) a difference is silent.
    silent = [e[2:] for e in tracked.split(b"\0") if e[:1].islower() or e[:1] == b"S"]
    names = sorted([*silent, *(name for name in new.split(b"\0") if name)])
    for name in names:
        digest.update(name + b"\0" + _content(package / os.fsdecode(name)))
    clean = not difference and not names
    return {
        "commit": commit.decode().strip(),
        "changes": None if clean else digest.hexdigest(),
    }


def dependency_versions() -> dict[str, str]:
    """Installed version of every package that recsweep needs to run, those it pulls in included."""
    found: dict[str, str] = {}
    queue = _requirements()
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


def _requirements() -> list[str]:
    """What recsweep asks for; where it is not installed, what its source imports."""
    try:
        return _required("recsweep")
    except PackageNotFoundError:  # a folder on the path, as `ray job submit` brings it
        text = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
        imported = set(re.findall(r"^\s*(?:import|from) (\w+)", text, re.MULTILINE))
        return [
            _normalised(distribution)
            for name, distributions in packages_distributions().items()
            if name in imported
            for distribution in distributions
        ]


def _required(package: str) -> list[str]:
    mandatory = [r for r in requires(package) or () if "extra ==" not in r]
    names = (re.match(r"[A-Za-z0-9._-]+", requirement) for requirement in mandatory)
    return [_normalised(name[0]) for name in names if name]


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _gpu(index: int) -> str:
    try:
        return torch.cuda.get_device_name(index)
    except RuntimeError:  # of a driver that fails, or a GPU that is gone: no reason to lose a study
        return "unknown"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # an editor's lock is a link that leads nowhere
        return b""


def _git(folder: Path, *arguments: str) -> bytes | None:
    # Inside a hook of another repository its variables would lead there.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith("GIT_CONFIG")
    }
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            timeout=20,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
