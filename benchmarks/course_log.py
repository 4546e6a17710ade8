"""A course platform's log, many courses and few events a learner: seconds an epoch, and memory.

    python benchmarks/course_log.py [--learners 22600] [--courses 8000] [--checkout PATH]

The log is made here: histories of about five events, courses of a topic by popularity, half of the
time the next one of a series. The first trial of `gru`, six epochs of three folds on one thread,
runs from the command line in both precisions: seconds to train an epoch, and NDCG@10. `--checkout`
names a folder with another commit, measured in the same run as it comes (`--verb` is its word for
the trials, `sweep` in the first ones); with `--epochs 0` none of this. Then an epoch of every
family, each in a process of its own that is set up as a worker is: the most memory that it held,
and seconds of its processor. The last line is JSON.
"""

import argparse
import json
import multiprocessing as mp
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import polars as pl
import torch

from peaks import peak_gib
from recsweep.config.files import load_experiment
from recsweep.config.schema import Resources
from recsweep.data.prepare import prepare
from recsweep.models.registry import families, families_of
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.tasks.folds import development_folds
from recsweep.training.process import environment_variables, worker_environment
from recsweep.training.trial import Trial

ROOT = Path(__file__).parents[1]
TOPIC = 40
"""Courses of a topic."""
EXPERIMENT = """
study: course_log
data:
  name: course_log
  events:
    - path: log.csv
      user: user
      item: item
      time: time
      time_format: unix
      type: {constant: purchase}
folds: {rule: time, count: 3, validation: 0.1, test: 0.2}
targets: {which: all, seen: drop}
metric: {name: ndcg, k: 10, report_k: [10]}
families: {gru: gru.yaml}
budget: {trials: 1, epochs: 2}
resources: {workers: 1}
"""


def log(learners: int, courses: int) -> pl.DataFrame:
    """user, item and time, a day between the events of a learner."""
    rng = np.random.default_rng(0)
    lengths = 2 + rng.geometric(1 / 3.7, learners)
    users = np.repeat(np.arange(learners), lengths)
    popular = 1 / np.arange(1, TOPIC + 1) ** 0.8
    topic = np.repeat(rng.zipf(1.3, learners) % (courses // TOPIC), lengths)
    place = rng.choice(TOPIC, len(users), p=popular / popular.sum())
    for at in np.flatnonzero((rng.random(len(users)) < 0.5)[1:] & (users[1:] == users[:-1])) + 1:
        place[at] = (place[at - 1] + 1) % TOPIC
    began = rng.integers(0, 300 * 86400, learners)
    order = np.arange(len(users)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    when = 1_700_000_000 + began[users] + order * 86400
    table = pl.DataFrame({"user": users, "item": topic * TOPIC + place, "time": when})
    return table.unique(["user", "item"], keep="first", maintain_order=True)


def trained(folder: Path, checkout: Path, verb: str, name: str, *settings: str) -> dict[str, float]:
    """Seconds of an epoch, NDCG@10 of the best and which that is, of a commit's own defaults."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src"), "WANDB_MODE": "disabled"}
    shutil.copy(checkout / "search_spaces/gru.yaml", folder)
    command = [sys.executable, "-m", "recsweep", verb, "course_log.yaml"]
    arguments = [part for each in (f"study={name}", *settings) for part in ("--set", each)]
    done = subprocess.run(
        command + arguments, cwd=folder, env=environment, capture_output=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-2000:])
    row = pl.read_parquet(folder / "results" / name / "trials.parquet").row(0, named=True)
    seconds = row["fit_seconds"] / row["epochs"]
    return {"epoch_seconds": seconds, "ndcg@10": row["value"], "best_epoch": row["best_epoch"]}


def memory(folder: Path, family: str) -> tuple[float, float, float]:
    """GiB of a process that reads the folds, and after it trained and ranked an epoch of them; the
    processor's seconds that the epoch took.
    """
    torch.set_num_threads(1)
    os.chdir(folder)
    experiment = load_experiment(folder / "course_log.yaml")
    folds = development_folds(prepare(experiment, folder), experiment)
    before = peak_gib()
    path = own_space(families()[family], "next_item")
    config = {}
    if path is not None:
        space = load_space(path, families_of("next_item"))
        config = space.whole(space.defaults)
    cpu = torch.device("cpu")
    trial = Trial(family, config, folds, experiment, epochs=1, seed=0, device=cpu)
    began = time.process_time()
    trial.advance()
    return before, peak_gib(), time.process_time() - began


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--learners", type=int, default=22600)
    parser.add_argument("--courses", type=int, default=8000)
    parser.add_argument("--checkout", type=Path)
    parser.add_argument("--verb", default="search")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--families", nargs="*")
    options = parser.parse_args()
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        table = log(options.learners, options.courses)
        table.write_csv(folder / "log.csv")
        (folder / "course_log.yaml").write_text(EXPERIMENT)
        events, courses = len(table), table["item"].n_unique()
        print(f"{events:,} events, {options.learners:,} learners, {courses:,} courses", flush=True)
        sides = [(p, ROOT, ["search", f"resources.precision={p}"]) for p in ("fp32", "bf16")]
        if not options.epochs:
            sides = []
        elif options.checkout:
            sides.insert(0, ("checkout", options.checkout.resolve(), [options.verb]))
        for name, checkout, arguments in sides:
            verb, *settings = arguments
            row = trained(
                folder, checkout, verb, name, *settings, f"budget.epochs={options.epochs}"
            )
            found[name] = row
            seconds, score = row["epoch_seconds"], row["ndcg@10"]
            print(
                f"gru {name:8} {seconds:6.1f} s an epoch, NDCG@10 {score:.4f} after "
                f"{row['best_epoch']}",
                flush=True,
            )
        alone = [name for name, each in families().items() if each.role != "ensemble"]
        for family in options.families or [n for n in families_of("next_item") if n in alone]:
            with (
                environment_variables(worker_environment(Resources())),
                ProcessPoolExecutor(1, mp.get_context("spawn")) as pool,
            ):
                before, peak, seconds = pool.submit(memory, folder, family).result()
            found[family] = {"peak_gib": peak, "seconds": seconds}
            print(f"{family:22} {peak:.2f} GiB, {before:.2f} before; {seconds:.1f} s", flush=True)
    print(json.dumps({"benchmark": "course_log", "events": events, "found": found}))


if __name__ == "__main__":
    main()
