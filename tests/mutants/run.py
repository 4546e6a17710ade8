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
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from threading import Lock

from mutants.changes import Change, changes
from mutants.mirror import mirrored, rule_modules

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
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(folder / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",  # of two sources of one second, the first would stay
            "RAY_TMPDIR": "/tmp",
            "XDG_CACHE_HOME": str(folder / ".cache"),
        }

    def passes(self, tests: Sequence[str], seconds: float) -> bool:
        """Do they all pass, within so many seconds?"""
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
             "-m", "not browser", *tests],
            cwd=self.folder, env=self.environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        try:
            return process.wait(timeout=seconds) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)  # what its tests may have left
            except ProcessLookupError:
                process.wait()

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
                    raise SystemExit(f"{name}: fails without a change")
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
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        copies: SimpleQueue[Copy] = SimpleQueue()
        for n in range(asked.jobs):
            copies.put(Copy(root, Path(folder) / str(n)))
        limits = Limits()

        def judge(mutant: Mutant) -> None:
            copy = copies.get()
            survived = copy.survives(mutant, limits)
            copies.put(copy)
            if survived:
                survivors.append(mutant)
            sys.stdout.write(f"{'SURVIVED' if survived else 'killed  '} {mutant}\n")
            sys.stdout.flush()

        with ThreadPoolExecutor(asked.jobs) as pool:
            list(pool.map(judge, mutants))
    score = 1 - len(survivors) / max(1, len(mutants))
    for mutant in sorted(survivors, key=str):
        sys.stdout.write(f"survivor: {mutant}\n")
    result = {"seed": asked.seed, "mutants": len(mutants), "killed": len(mutants) - len(survivors),
              "score": round(score, 3), "seconds": round(time.monotonic() - began)}  # fmt: skip
    sys.stdout.write(json.dumps(result) + "\n")
    sys.exit(score < BAR)


if __name__ == "__main__":
    main()
