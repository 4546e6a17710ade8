"""A GRU sweep against bare loops over the same configurations, in one run.

    python benchmarks/sweep.py [--rounds 1] [--trials 6] [--epochs 10]

One split of MovieLens 100k, hidden 128, embedding 64, exact full softmax, no early stopping; two
one-thread processes everywhere. Three ways to the same configurations:

- `sweep`: recsweep's whole path, with an evaluation after every epoch, Optuna's journal and W&B's
  run files. Ray's start is apart.
- `bare engine`: recsweep's own trials in a pool of two processes, with nothing around them. A sweep
  as fast as this wastes nothing, whatever its own count of busy seconds says.
- `plain loop`: nn.GRU as one writes it by hand (`plain_loop.py`), which never evaluates.

The last line is JSON.
"""

import argparse
import json
import multiprocessing as mp
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch

from plain_loop import PlainLoop, one_split, write_space
from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment, Resources
from recsweep.config.values import Configuration
from recsweep.data.prepare import prepare
from recsweep.data.types import Fold
from recsweep.models.registry import families_of
from recsweep.search.run import run_search
from recsweep.spaces.files import load_space
from recsweep.tasks.folds import development_folds
from recsweep.tracking.events import Event, TrialStarted
from recsweep.tracking.wandb import WandbListener
from recsweep.training.process import environment_variables, worker_environment
from recsweep.training.trial import Trial

ROOT = Path(__file__).parents[1]
WORKERS = 2
PLAIN_LIMIT, EFFICIENCY_LIMIT = 0.85, 0.92
Job = tuple[Configuration, int]  # configuration, seed

_shared: dict[str, Any] = {}


def _share(fold: Fold, experiment: Experiment) -> None:
    torch.set_num_threads(1)
    _shared.update(fold=fold, experiment=experiment)


def _ready(seconds: float) -> None:
    time.sleep(seconds)  # long enough that each process takes one


def _bare(job: Job) -> None:
    fold, experiment = _shared["fold"], _shared["experiment"]
    Trial(
        "gru",
        job[0],
        [fold],
        experiment,
        epochs=experiment.budget.epochs,
        seed=job[1],
        device=torch.device("cpu"),
    ).run()


def _plain(job: Job) -> None:
    loop = PlainLoop(_shared["fold"].training, float(job[0]["learning_rate"]), job[1])
    for _ in range(_shared["experiment"].budget.epochs):
        loop.fit_epoch()


def pooled(work: Callable[[Job], None], jobs: list[Job], fold: Fold, ours: Experiment) -> float:
    """Seconds of all jobs, the pool's start apart."""
    spawn = mp.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, spawn, _share, (fold, ours)) as pool:
        list(pool.map(_ready, [1.0] * WORKERS))
        began = time.perf_counter()
        list(pool.map(work, jobs))
        return time.perf_counter() - began


def sweep(fold: Fold, ours: Experiment) -> tuple[dict[str, float], list[Job]]:
    """Figures of recsweep's sweep, and the configurations that it tried."""
    jobs: list[Job] = []

    def note(event: Event) -> None:
        if isinstance(event, TrialStarted):
            jobs.append((event.config, event.seed))

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        session = run_search(
            ours,
            {"gru": load_space(write_space(folder), families_of("next_item"))},
            [fold],
            folder,
            fingerprint="benchmark",
            listeners=[note, WandbListener(folder, ours, "offline")],
        )
    assert session is not None
    found = {
        "seconds": session.wall_seconds,
        "ray_start_seconds": session.start_seconds,
        "efficiency": session.efficiency,
    }
    return found, jobs


def main() -> None:
    """Print seconds and ratios, medians over rounds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    chosen = one_split(options.trials, options.epochs, WORKERS)
    ours = load_experiment(ROOT / "experiments/default.yaml", chosen)
    fold = development_folds(prepare(ours, ROOT), ours)[0]
    events = len(fold.training.sequences.item)
    print(
        f"{options.trials} trials of {options.epochs} epochs, {events:,} training events, "
        f"{WORKERS} cores"
    )
    rows: list[dict[str, float]] = []
    for number in range(options.rounds):
        row, jobs = sweep(fold, ours)
        with environment_variables(worker_environment(Resources())):
            row["bare"] = pooled(_bare, jobs, fold, ours)
        row["plain"] = pooled(_plain, jobs, fold, ours)
        row["to_plain"] = row["seconds"] / row["plain"]
        row["efficiency_against_bare"] = row["bare"] / row["seconds"]
        rows.append(row)
        print(
            f"round {number + 1}: sweep {row['seconds']:.1f} s (Ray's start "
            f"{row['ray_start_seconds']:.1f} s apart), bare engine {row['bare']:.1f} s, "
            f"plain loop {row['plain']:.1f} s",
            flush=True,
        )
    found = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    print(f"sweep / plain loop            {found['to_plain']:.2f} (limit {PLAIN_LIMIT})")
    print(f"efficiency, the sweep's own   {found['efficiency']:.2f} (limit {EFFICIENCY_LIMIT})")
    print(f"efficiency, bare engine/sweep {found['efficiency_against_bare']:.2f}")
    print(json.dumps({"benchmark": "sweep", **{k: round(v, 3) for k, v in found.items()}}))


if __name__ == "__main__":
    main()
