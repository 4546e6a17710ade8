"""`make fuzz`: damage inputs at random, and tell of every case that was not taken well.

A case runs in a process of its own kind, which is started again after one that crashed or hung.
Every case has its own seed, so one can be run alone: `--only configurations:123`.
"""

import argparse
import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

SECONDS = 60.0
"""A case that takes longer hangs."""


class Suite(Protocol):
    """A kind of input."""

    def case(self, rng: random.Random) -> tuple[str, str | None]:
        """What was done to it, and the problem, if there is one."""


def suites() -> dict[str, tuple[Callable[[Path], Suite], int]]:
    """Name -> how to set it up, and how many cases."""
    from fuzz.configurations import Configurations
    from fuzz.csv_dialects import CsvDialects
    from fuzz.data_files import DataFiles
    from fuzz.environments import Environments
    from fuzz.parquet_columns import ParquetColumns
    from fuzz.results_folders import ResultsFolders
    from fuzz.times import Times

    return {
        "configurations": (Configurations, 2000),
        "data_files": (DataFiles, 500),
        "environments": (Environments, 1200),
        "results_folders": (ResultsFolders, 500),
        "csv_dialects": (CsvDialects, 3000),
        "parquet_columns": (ParquetColumns, 2000),
        "times": (Times, 3000),
    }


def work(pipe: Connection, name: str, seed: int, cases: range) -> None:
    """Run cases; send each one's number before it begins and its result after."""
    make, _ = suites()[name]
    with tempfile.TemporaryDirectory(prefix="recsweep-fuzz-") as folder:
        suite = make(Path(folder))
        for number in cases:
            pipe.send((number, None, None))
            said, problem = suite.case(random.Random(f"{seed} {name} {number}"))
            pipe.send((number, said, problem))


def fuzz(name: str, seed: int, cases: range) -> list[str]:
    """Run them all; the problems, one line each."""
    context = multiprocessing.get_context("spawn")
    problems: list[str] = []
    todo = cases
    while todo:
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(theirs, name, seed, todo), daemon=True)
        process.start()
        theirs.close()
        at, reached, said = todo[0], todo[0] - 1, ""
        try:
            while ours.poll(SECONDS + 60 * (reached < todo[0])):
                at, said, problem = ours.recv()
                if said is not None:
                    reached = at
                    if problem:
                        problems.append(f"{name}:{at} [{said}] {problem}")
                        sys.stdout.write(problems[-1][:3000] + "\n")
                        sys.stdout.flush()
            hung = True
        except EOFError:
            hung = False
        process.kill() if hung else None
        process.join()
        if reached >= todo[-1]:
            break
        ending = "hung" if hung else f"crashed with exit {process.exitcode}"
        problems.append(f"{name}:{at} {ending}")
        sys.stdout.write(problems[-1] + "\n")
        todo = range(at + 1, cases[-1] + 1)
    return problems


def main() -> None:
    """Run; exit 1 if anything was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scale", type=float, default=1.0, help="times the usual number of cases")
    parser.add_argument("--only", default=None, help="a suite, or suite:case")
    asked = parser.parse_args()
    only, _, case = (asked.only or "").partition(":")
    counts: Counter[str] = Counter()
    found: list[str] = []
    began = time.monotonic()
    for name, (_, usual) in suites().items():
        if only and name != only:
            continue
        cases = (
            range(int(case), int(case) + 1) if case else range(max(1, round(usual * asked.scale)))
        )
        counts[name] = len(cases)
        found += fuzz(name, asked.seed, cases)
    seconds = round(time.monotonic() - began, 1)
    result = {"seed": asked.seed, "cases": counts, "problems": len(found), "seconds": seconds}
    sys.stdout.write(json.dumps(result) + "\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
