"""Prepare a log of ten million events: seconds and memory against the limits.

    python benchmarks/preparation.py [--events 10000000] [--folder FOLDER]

The log is made up: users and courses with long tails, visits in bursts, three event types, ids as
text, times as ISO text in no order. Preparation runs in a process of its own, so that the peak is
its own. The last line is JSON.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from peaks import peak_gib
from recsweep.config.files import validate
from recsweep.config.schema import Experiment
from recsweep.data.manifest import read_manifest
from recsweep.data.prepare import prepare

LIMIT_SECONDS = 60.0
LIMIT_GIB = 6.0
BLOCK = 5_000_000  # events written at a time


def write_log(path: Path, n: int, seed: int = 0) -> None:
    """Write n events of about n / 20 users and n / 500 courses as CSV."""
    rng = np.random.default_rng(seed)
    n_users, n_items = max(10, n // 20), max(10, n // 500)
    joined = rng.integers(0, 2 * 365 * 86_400, n_users)
    kinds = np.array(["view", "favourite", "order"])
    with path.open("wb") as file:
        for start in range(0, n, BLOCK):
            size = min(BLOCK, n - start)
            user = (n_users * rng.random(size) ** 2.5).astype(np.int64)  # a few are very busy
            item = (n_items * rng.random(size) ** 3).astype(np.int64)
            burst = rng.exponential(20 * 86_400, size).astype(np.int64)
            moment = 1_650_000_000 + joined[user] + burst
            pl.DataFrame(
                {
                    "learner": pl.Series(user).cast(pl.String).str.zfill(8),
                    "course": "course-" + pl.Series(item).cast(pl.String),
                    "at": pl.Series(moment * 1_000_000).cast(pl.Datetime("us")).dt.to_string("iso"),
                    "what": kinds[np.searchsorted([0.85, 0.95], rng.random(size))],
                }
            ).write_csv(file, include_header=start == 0)


def experiment(log: Path) -> Experiment:
    """Prepare the log by all the rules."""
    values = {"view": "browse", "favourite": "favourite", "order": "purchase"}
    events: dict[str, object] = {"path": str(log), "user": "learner", "item": "course"}
    events |= {"time": "at", "time_format": "iso", "type": {"column": "what", "values": values}}
    raw = {
        "study": "benchmark",
        "data": {"name": "benchmark", "events": [events]},
        "folds": {"min_item_events": 5},
        "families": {"popularity": "search_spaces/popularity.yaml"},
    }
    return validate(Experiment, raw, "benchmark")


def measure(log: Path, root: Path) -> dict[str, float]:
    """Prepare twice in this process: from nothing, then the check that nothing changed."""
    started = time.perf_counter()
    dataset = prepare(experiment(log), root)
    prepared = time.perf_counter()
    prepare(experiment(log), root)
    checked = time.perf_counter()
    manifest = read_manifest(dataset.folder)
    return {
        "rows": manifest.cleaning[0].rows,
        "prepare_seconds": prepared - started,
        "check_seconds": checked - prepared,
        "peak_gib": peak_gib(),
    }


def main() -> None:
    """Make the log, prepare it in a subprocess, print ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="keep the log here for the next run")
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(*arguments.measure)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / f"log-{arguments.events}.csv"
        if not log.exists():
            write_log(log, arguments.events)
        command = [sys.executable, __file__, "--measure", str(log), temporary]
        found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    scale = arguments.events / 10_000_000
    found["events_per_second"] = found["rows"] / found["prepare_seconds"]
    found["seconds_to_limit"] = found["prepare_seconds"] / (LIMIT_SECONDS * scale)
    found["memory_to_limit"] = found["peak_gib"] / LIMIT_GIB
    print(f"{found['rows']:,.0f} events prepared in {found['prepare_seconds']:.1f} s")
    print(f"  {found['events_per_second']:,.0f} events a second")
    print(f"  {found['seconds_to_limit']:.2f} of the limit of {LIMIT_SECONDS * scale:.0f} s")
    print(f"  peak {found['peak_gib']:.2f} GiB, {found['memory_to_limit']:.2f} of the limit")
    print(f"  the check that nothing changed: {found['check_seconds']:.2f} s")
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


if __name__ == "__main__":
    main()
