"""`make mutants`: change the rules at random, one at a time, and see whether their tests notice.

A copy of the checkout is changed, never the checkout. Each change is followed by the tests that
mirror the changed module, and no others. What survives is printed: a test is missing, or the change
changes nothing.
"""

import argparse
import ast
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

import pytest
from mutants.changes import Change, changes
from mutants.mirror import mirrored, rule_modules

FORKS = get_context("forkserver")
# Imported once for all processes: what the tests take longest to import.
FORKS.set_forkserver_preload(["hypothesis", "optuna", "polars", "pytest", "sklearn", "torch"])
BAR = 0.9
MEMORY = 24 << 30
"""Bytes of a process: a loop that a change made endless must not take the machine along."""


@dataclass(frozen=True)
class Mutant:
    """A module and what is changed in it."""

    module: Path
    change: Change

    def __str__(self) -> str:
        old, new = (" ".join(text.split()) for text in (self.change.old, self.change.new))
        return f"{self.module}:{self.change.line}: {old[:70]} → {new[:70]}"


class Unjudged(Exception):
    """Tests that fail anyhow tell nothing of a change."""


class Copy:
    """A checkout's files in another folder."""

    def __init__(self, root: Path, folder: Path) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root, capture_output=True, check=True,
        )  # fmt: skip
        self.folder = folder
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (root / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name)
        (folder / ".venv").symlink_to((root / ".venv").resolve())

    def passes(self, tests: Sequence[str], seconds: float) -> bool:
        """Do they all pass, within so many seconds?"""
        process = FORKS.Process(target=_run_tests, args=(self.folder, tuple(tests)))
        process.start()
        process.join(seconds)
        assert process.pid is not None
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # it, and what its tests may have left
        process.kill()
        process.join()
        return process.exitcode == 0

    def survives(self, mutant: Mutant, limits: "Limits") -> bool:
        """Do the module's tests pass with the change?"""
        path = self.folder / mutant.module
        source = path.read_bytes()
        for tests in mirrored(self.folder, mutant.module):
            limit = limits.of(self, tests)
            path.write_bytes(mutant.change.apply(source))
            try:
                if not self.passes(tests, limit):
                    return False
            finally:
                path.write_bytes(source)
        return True


def _run_tests(folder: Path, tests: Sequence[str]) -> None:
    """In a process of its own: the copy's sources, and nothing of them imported before."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
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
    quick = ("-q", "-x", "-p", "no:cacheprovider", "-m", "not browser")
    os._exit(int(pytest.main([*quick, *tests])))


class Limits:
    """How long tests may take with a change: from how long they do without one, when they pass."""

    def __init__(self) -> None:
        self._known: dict[str, float] = {}
        self._lock = Lock()

    def of(self, copy: Copy, tests: Sequence[str]) -> float:
        """In seconds. Asked of a copy without a change."""
        name = " ".join(tests)
        with self._lock:
            if name not in self._known:
                began = time.monotonic()
                if not copy.passes(tests, 1800):
                    raise Unjudged(f"{name}: fails without a change")
                self._known[name] = 30 + 4 * (time.monotonic() - began)
            return self._known[name]


def drawn(root: Path, count: int, seed: int, only: str) -> list[Mutant]:
    """Mutants at random; every change of the rooms is as likely."""
    everything = [
        Mutant(module, change)
        for module in rule_modules(root)
        if str(module).startswith(only)
        for change in changes((root / module).read_bytes())
    ]
    drawn = random.Random(seed).sample(everything, len(everything))
    return list(islice((m for m in drawn if _is_python(root, m)), count))


def _is_python(root: Path, mutant: Mutant) -> bool:
    try:
        ast.parse(mutant.change.apply((root / mutant.module).read_bytes()))
    except SyntaxError:
        return False
    return True


def main() -> None:
    """Run; exit 1 where less than the bar was noticed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="modules that begin so: src/recsweep/search")
    asked = parser.parse_args()
    root, began = Path(__file__).parents[2], time.monotonic()
    mutants = drawn(root, asked.count, asked.seed, asked.only)
    survivors: list[Mutant] = []
    unjudged: list[Mutant] = []
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for n in range(asked.jobs):
            copies.put(Copy(root, Path(folder) / str(n)))
        limits = Limits()

        def judge(mutant: Mutant) -> None:
            copy = copies.get()
            try:
                found = "SURVIVED" if copy.survives(mutant, limits) else "killed  "
            except Unjudged as reason:
                found = f"UNJUDGED ({reason})"
                unjudged.append(mutant)
            finally:
                copies.put(copy)
            if found == "SURVIVED":
                survivors.append(mutant)
            sys.stdout.write(f"{found} {mutant}\n")
            sys.stdout.flush()

        with ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(judge, mutants))
    judged = len(mutants) - len(unjudged)
    score = 1 - len(survivors) / max(1, judged)
    for mutant in sorted(survivors, key=str):
        sys.stdout.write(f"survivor: {mutant}\n")
    result = {"seed": asked.seed, "mutants": judged, "unjudged": len(unjudged),
              "killed": judged - len(survivors),
              "score": round(score, 3), "seconds": round(time.monotonic() - began)}  # fmt: skip
    sys.stdout.write(json.dumps(result) + "\n")
    sys.exit(score < BAR or bool(unjudged))


if __name__ == "__main__":
    main()
