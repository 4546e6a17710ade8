"""`make mutants`: change the rules at random, one at a time, and see whether their tests notice.

A copy of the checkout is changed, never the checkout. Each change is followed by the tests that
mirror the changed module, and no others: first those that run the changed line, in a process that
has imported everything already; what they let pass is asked of all, from the files. What survives
is printed: a test is missing, or the change changes nothing.
"""

import argparse
import ast
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from mutants.afresh import run
from mutants.changes import Change, changes
from mutants.collected import Asked, Collected, Unjudged
from mutants.forks import PATIENT, Limits
from mutants.mirror import mirrored, rule_modules

LIBRARIES = ("hypothesis", "optuna", "polars", "pydantic", "sklearn", "torch._dynamo")
"""Imported once for all processes: what the tests take longest to import."""
BAR = 0.9
SURVIVED, KILLED, UNJUDGED = "SURVIVED", "killed", "UNJUDGED"


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
        self._limits: dict[frozenset[str], Limits] = {}
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (root / name).exists():  # a link to a folder stays a link, to the copy's
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(root / name, folder / name, follow_symlinks=False)
        (folder / ".venv").unlink(missing_ok=True)
        (folder / ".venv").symlink_to((root / ".venv").resolve())

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[bytes]:
        """What the module was before the change."""
        path = self.folder / mutant.module
        source = path.read_bytes()
        path.write_bytes(mutant.change.apply(source))
        try:
            yield source
        finally:
            path.write_bytes(source)

    def noticed_by_collected(self, mutant: Mutant, tests: Collected) -> bool:
        """Does one of the collected tests fail with the change in place?"""
        parts = mirrored(self.folder, mutant.module)
        with self.changed(mutant) as source:
            path = self.folder / mutant.module
            return tests.notice(Asked(path, source, mutant.change, parts))

    def noticed_afresh(self, mutant: Mutant) -> bool:
        """Does one of the module's tests fail if all is imported with the change?"""
        for tests in mirrored(self.folder, mutant.module):
            limits = self._limits_of(tests)
            with self.changed(mutant):
                noticed = run(self.folder, tests, limits).noticed
            if noticed is None:
                raise Unjudged(f"{' '.join(tests)}: waits")
            if noticed:
                return True
        return False

    def _limits_of(self, tests: Sequence[str]) -> Limits:
        if (same := frozenset(tests)) not in self._limits:  # as many modules' in another order
            ended = run(self.folder, tests, PATIENT)
            if ended.code:
                raise Unjudged(f"{' '.join(tests)}: fails without a change")
            self._limits[same] = ended.took.around(30)
        return self._limits[same]


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


def judge(root: Path, mutants: Iterable[Mutant], processes: int, kept: "Kept") -> None:
    """Judge each, several rooms at once, and keep the verdicts."""
    rooms: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        rooms[mutant.module.parts[2]].append(mutant)
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        largest = sorted(rooms.values(), key=len, reverse=True)
        for verdicts in pool.map(partial(_judge_room, root, kept), largest):
            kept.known |= verdicts


def _judge_room(root: Path, kept: "Kept", mutants: Sequence[Mutant]) -> dict[str, str]:
    """Tests of one room are imported together."""
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        copy = Copy(root, Path(folder))
        parts = [part for mutant in mutants for part in mirrored(copy.folder, mutant.module)]
        with Collected(copy.folder, sorted({name for part in parts for name in part})) as tests:
            for mutant in mutants:
                kept.add(mutant, verdict := _verdict(copy, mutant, tests))
                sys.stdout.write(f"{verdict:8} {mutant}\n")
                sys.stdout.flush()
    return kept.known


def _verdict(copy: Copy, mutant: Mutant, collected: Collected) -> str:
    try:
        noticed = copy.noticed_by_collected(mutant, collected) or copy.noticed_afresh(mutant)
    except Unjudged as reason:
        return f"{UNJUDGED} ({reason})"
    return KILLED if noticed else SURVIVED


class Kept:
    """Verdicts in a file, one a line, so that a run which was cut off goes on."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path and path.exists() else ()
        self.known: dict[str, str] = dict(json.loads(line) for line in lines)

    def add(self, mutant: Mutant, verdict: str) -> None:
        self.known[repr(mutant)] = verdict
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps([repr(mutant), verdict]) + "\n")


def main() -> None:
    """Run; exit 1 where less than the bar was noticed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="modules that begin so: src/recsweep/search")
    parser.add_argument("--processes", type=int, default=2, help="rooms at once, 2 GiB each")
    parser.add_argument("--keep", type=Path, help="a file of verdicts; those in it stand")
    asked = parser.parse_args()
    root, began = Path(__file__).parents[2], time.monotonic()
    kept = Kept(asked.keep)
    mutants = drawn(root, asked.count, asked.seed, asked.only)
    for library in LIBRARIES:
        import_module(library)
    judge(root, [m for m in mutants if repr(m) not in kept.known], asked.processes, kept)
    found = {mutant: kept.known[repr(mutant)] for mutant in mutants}
    survivors = sorted(str(mutant) for mutant, verdict in found.items() if verdict == SURVIVED)
    sys.stdout.writelines(f"survivor: {mutant}\n" for mutant in survivors)
    killed = sum(verdict == KILLED for verdict in found.values())
    judged = killed + len(survivors)
    score = killed / max(1, judged)
    result = {"seed": asked.seed, "mutants": judged, "unjudged": len(found) - judged,
              "killed": killed,
              "score": round(score, 3), "seconds": round(time.monotonic() - began)}  # fmt: skip
    sys.stdout.write(json.dumps(result) + "\n")
    sys.exit(score < BAR or judged < len(found))


if __name__ == "__main__":
    main()
