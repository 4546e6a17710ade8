"""recsweep beside RecBole, implicit and a plain loop: one run, one log, two cores.

    python benchmarks/peers.py --environment FOLDER [--family gru|sasrec] [--seconds 60]
                               [--rounds 3] [--gru4rec PATH]

FOLDER gets a virtual environment with RecBole 1.2.1 and implicit (kept for the next run); PATH is a
checkout of GRU4Rec_PyTorch_Official. MovieLens 100k, leave-one-out: all but the last two events
of a learner are trained on. The order of events at one time is written down once, so that everybody
has the same sequences. Who is good how soon: `race.py`.

- events a second: RecBole with two threads, as it is faster with; recsweep and the plain loop in
  two processes of one thread. An event is a training target. On this log, half of the events share
  their time with another of their learner. recsweep's rule gives those one state and one softmax;
  the peers know no such rule. Both are printed: with every event at its own time, which is what
  the peers compute, and with the log's own times.
  `--busy` is for a machine with other work on it: RecBole with one thread, and every speed is twice
  the events of a process in a second of its processor's time. (implicit and GRU4Rec official stay
  in wall seconds.)
- the limit (for `gru`): measured float32 products a second, against the operations that an event
  takes, forward and backward. `of the limit` counts the operations that were done, never those that
  were shared.
- a sweep of six trials of ten epochs: RecBole's is estimated from its epochs; run `sweep.py` for
  recsweep's.

The last line is JSON.
"""

import argparse
import json
import multiprocessing as mp
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import polars as pl
import torch

from plain_loop import CONFIGS, EMBEDDING, HIDDEN, PlainLoop
from recsweep.config.files import load_experiment
from recsweep.config.schema import Resources
from recsweep.data.sources import resolve
from recsweep.data.types import Sequences, Targets, Training
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker
from recsweep.models.registry import families_of
from recsweep.training.process import environment_variables, worker_environment

ROOT = Path(__file__).parents[1]
WORKERS, SECONDS = 2, 5.0
PEERS = ("recbole==1.2.1", "torch==2.13.0", "implicit", "numpy<2", "scipy<1.15", "pandas<2.3")
LIMITS = {
    "gru": {"recsweep fp32": 35.0, "recsweep bf16": 50.0},
    "sasrec": {"recsweep bf16": 50.0},
}
CPU = torch.device("cpu")
_shared: dict[str, Any] = {}


def events() -> pl.DataFrame:
    """user, item, time, place; codes from 0; ordered by user and place."""
    experiment = load_experiment(ROOT / "experiments/default.yaml", ["features=[]"])
    table = experiment.data.events[0]
    raw = pl.read_csv(
        resolve(table, experiment.data.package, ROOT / "data" / "raw").path, separator="\t"
    )
    columns = {"user": table.user, "item": table.item, "time": str(table.time)}
    log = raw.select(pl.col(old).alias(new) for new, old in columns.items())
    log = log.sort("user", "time", "item").with_columns(
        pl.col("user", "item").rank("dense") - 1, place=pl.int_range(pl.len()).over("user")
    )
    return log.cast({"user": pl.Int32, "item": pl.Int32, "time": pl.Int64, "place": pl.Int64})


def training_of(log: pl.DataFrame, time_column: str, left_out: int = 2) -> Training:
    """All but the last events of every learner."""
    kept = log.filter(pl.col("place") < pl.len().over("user") - left_out)
    n_items = int(log["item"].n_unique())
    return Training(sequences_of(kept, time_column), n_items, np.zeros((n_items, 0), np.float32))


def sequences_of(log: pl.DataFrame, time_column: str) -> Sequences:
    """Learners' events end to end."""
    users, counts = np.unique(log["user"].to_numpy(), return_counts=True)
    return Sequences(
        user=users,
        offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        item=log["item"].to_numpy().astype(np.int32),
        time=log[time_column].to_numpy(),
        kind=np.zeros(len(log), np.int8),
        features=np.zeros((len(users), 0), np.float32),
    )


def targets_of(log: pl.DataFrame, which: int = 2, *, drop_seen: bool = False) -> Targets:
    """Each learner's event `which` from the end, from all before it. RecBole's ranking of a
    sequential model drops no seen course.
    """
    left = pl.len().over("user") - pl.col("place")
    before, target = log.filter(left > which), log.filter(left == which)
    histories = sequences_of(before, "place")
    return Targets(
        histories=histories,
        sequence=np.arange(len(target), dtype=np.int32),
        length=np.diff(histories.offsets).astype(np.int32),
        item=target["item"].to_numpy().astype(np.int32),
        time=target["place"].to_numpy(),
        drop_seen=drop_seen,
        counts={},
    )


def engine(family: str, training: Training, precision: str, **changes: object) -> GradientRanker:
    """recsweep's."""
    model = families_of("next_item")[family].model(
        {**CONFIGS[family], **changes}, Context(training, 0, CPU, precision)
    )
    assert isinstance(model, GradientRanker)
    return model


def _clock() -> float:
    return time.process_time() if _shared["busy"] else time.perf_counter()


def engine_speed(training: Training, seconds: float, precision: str) -> float:
    """Targets a second, whole epochs."""
    model = engine(_shared["family"], training, precision)
    seen, started = 0, _clock()
    while (elapsed := _clock() - started) < seconds:
        model.fit_epoch()
        seen += model.batches.windows.n_targets
    return seen / elapsed


def plain_speed(training: Training, seconds: float) -> float:
    """The same of the plain loop."""
    loop = PlainLoop(training, family=_shared["family"])
    seen, started = 0, _clock()
    while True:
        for chosen in loop.batches():
            seen += loop.step(chosen)
            if (elapsed := _clock() - started) > seconds:
                return seen / elapsed


def products(seconds: float) -> float:
    """Float32 operations a second in matrix products, this process's share of the limit."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    done, started = 0, _clock()
    while (elapsed := _clock() - started) < seconds:
        torch.mm(a, b)
        done += 1
    return done * 2 * 1024**3 / elapsed


WAYS: dict[str, Callable[[float], float]] = {
    "plain loop": lambda s: plain_speed(_shared["places"], s),
    "recsweep fp32": lambda s: engine_speed(_shared["places"], s, "fp32"),
    "recsweep bf16": lambda s: engine_speed(_shared["places"], s, "bf16"),
    "recsweep fp32, times of the log": lambda s: engine_speed(_shared["times"], s, "fp32"),
    "recsweep bf16, times of the log": lambda s: engine_speed(_shared["times"], s, "bf16"),
    "float32 products": products,
}


def _share(family: str, places: Training, times: Training, busy: bool, barrier: Any) -> None:
    torch.set_num_threads(1)
    _shared.update(family=family, places=places, times=times, busy=busy, barrier=barrier)


def _work(way: str) -> float:
    WAYS[way](0.5)  # warm up
    _shared["barrier"].wait(120)
    return WAYS[way](SECONDS)


def speeds(
    family: str, places: Training, times: Training, rounds: int, busy: bool
) -> dict[str, list[float]]:
    """Of every way in two processes at once, taking turns."""
    found: dict[str, list[float]] = {way: [] for way in WAYS}
    spawn = mp.get_context("spawn")
    shared = (family, places, times, busy, spawn.Barrier(WORKERS))
    with (
        environment_variables(worker_environment(Resources())),
        ProcessPoolExecutor(WORKERS, spawn, _share, shared) as pool,
    ):
        for _ in range(rounds):
            for way in WAYS:
                found[way].append(sum(pool.map(_work, [way] * WORKERS)))
    return found


def operations(training: Training) -> float:
    """Of `gru`: float32 operations an event in products; with the way back three times forward."""
    windows = engine("gru", training, "fp32").batches.windows
    places = 2 * 3 * HIDDEN * (EMBEDDING + HIDDEN) * int(windows.length.sum())
    states = 2 * EMBEDDING * (HIDDEN + training.n_items) * len(windows.state)
    return 3 * (places + states) / windows.n_targets


def install(folder: Path) -> Path:
    """The interpreter of the peers' environment."""
    python = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        print(f"installing {', '.join(PEERS)} into {folder} …", flush=True)
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
        (folder / ".installed").touch()
    return python


def write_log(log: pl.DataFrame, folder: Path) -> None:
    """As `peer.py` reads it."""
    (folder / "peers").mkdir()
    header = {"user": "user_id:token", "item": "item_id:token", "place": "timestamp:float"}
    log.select(*header).rename(header).write_csv(folder / "peers/peers.inter", separator="\t")


def peer(python: Path, *arguments: str, script: str = "peer.py") -> dict[str, Any]:
    """What a peer printed."""
    environment = {**os.environ}
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        environment.pop(name, None)
    environment["OPENBLAS_NUM_THREADS"] = "1"  # implicit asks for it
    done = subprocess.run(
        [python.absolute(), Path(__file__).with_name(script), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=arguments[1],  # RecBole leaves logs wherever it runs
        check=False,
    )
    if done.returncode:
        sys.exit(f"{arguments[0]} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure everybody and print ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--family", choices=LIMITS, default="gru")
    parser.add_argument("--gru4rec", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="for RecBole's speed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--busy", action="store_true", help="processor seconds, not wall seconds")
    options = parser.parse_args()
    python = install(options.environment)
    log = events()
    places, times = training_of(log, "place"), training_of(log, "time")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        write_log(log, Path(temporary))
        how = (options.family, options.seconds, 1 if options.busy else 2)
        theirs = peer(python, "recbole", temporary, *map(str, how))
        if options.busy:  # two such processes fill two cores
            theirs["events_per_second"] *= WORKERS
        found["RecBole"] = theirs
        found["implicit ALS"] = peer(python, "implicit", temporary)
        if options.gru4rec:
            path = str(options.gru4rec.resolve())
            found["GRU4Rec official"] = peer(python, "gru4rec", temporary, path)
    measured = speeds(options.family, places, times, options.rounds, options.busy)
    limit = statistics.median(measured.pop("float32 products"))
    print(
        f"{len(places.sequences.item):,} training events of {len(places.sequences):,} learners, "
        f"{places.n_items:,} films; float32 products: {limit / 1e9:.0f} GFLOP/s on {WORKERS} cores"
    )
    print(f"\n{'':34} events/s  to RecBole  to plain  of the limit  peak GiB")
    for name, row in found.items():
        rate = row["events_per_second"]
        ratio = rate / theirs["events_per_second"]
        print(f"{name:34} {rate:8,.0f} {ratio:9.1f}x {'':23} {row['peak_gib']:.2f}")
    bars = LIMITS[options.family]
    for way, rates in measured.items():
        rate = statistics.median(rates)
        pairs = zip(rates, measured["plain loop"], strict=True)
        row = found[way] = {
            "events_per_second": round(rate),
            "to_recbole": rate / theirs["events_per_second"],
            "to_plain": statistics.median(a / b for a, b in pairs),
        }
        if options.family == "gru":
            row["of_limit"] = rate * operations(times if "times" in way else places) / limit
        share = f"{row['of_limit']:.0%}" if "of_limit" in row else ""
        bar = f"  (limit {bars[way]:.0f}x)" if way in bars else ""
        print(
            f"{way:34} {rate:8,.0f} {row['to_recbole']:9.1f}x {row['to_plain']:8.2f}x "
            f"{share:>12}{bar}"
        )
    found["RecBole sweep, estimated seconds"] = 60 * theirs["epoch_seconds"]
    print(f"\nsix trials of ten epochs, RecBole, estimated: {60 * theirs['epoch_seconds']:,.0f} s")
    print(
        json.dumps(
            {"benchmark": "peers", "family": options.family, "gflops": limit / 1e9, "found": found}
        )
    )


if __name__ == "__main__":
    main()
