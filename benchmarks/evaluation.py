"""Full-catalogue ranking of 20,000 learners over 200,000 courses: seconds and memory.

    python benchmarks/evaluation.py [--learners 20000] [--courses 200000] [--rounds 5]

Each family ranks one target a learner in the whole catalogue, in a process of its own with one
thread, as a worker of a sweep does. The peak is that process's, its imports included. Histories and
courses are made up with a long tail; the networks are untrained, which changes no operation of a
score. The ratio is to the limit of 60 s and 4 GiB. The last line is JSON.

The peer in the same process is the definition written down plainly: score 1,000 learners over the
whole catalogue, sort each row, and look where the target stands.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import torch

from peaks import peak_gib
from recsweep.config.schema import Resources
from recsweep.data.types import Sequences, Targets, Training
from recsweep.models.protocol import Context, Recommender
from recsweep.models.registry import families_of
from recsweep.tasks.next_item.ranking import Ranker
from recsweep.training.process import environment_variables, worker_environment

LIMIT_SECONDS, LIMIT_GIB = 60.0, 4.0
SORTED = 1000
"""Learners that the plain definition ranks; its time is scaled up."""
EVENTS = 20
"""Events of a learner before the target."""
CONFIGS: dict[str, dict[str, object]] = {
    "gru": {
        "depth": 1,
        "hidden_size": 128,
        "embedding_size": 64,
        "dropout": 0.0,
        "tied_embeddings": True,
    },
    "wide_deep": {
        "depth": 1,
        "hidden_size": 128,
        "embedding_size": 64,
        "dropout": 0.0,
        "wide_learning_rate": 1e-3,
    },
    "matrix_factorization": {"loss": "als", "factors": 64, "regularization": 1.0, "alpha": 1.0},
    "item_knn": {"neighbours": 100, "weighting": "cosine", "fading": "step", "fading_weight": 0.9},
    "popularity": {},
}
GRADIENT = {
    "learning_rate": 1e-3,
    "weight_decay": 0.0,
    "batch_size": 32,
    "window": 50,
    "loss": "cross_entropy",
}


def world(n_users: int, n_items: int) -> tuple[Training, Targets]:
    """Histories with a long tail, which are training as well, and one target a learner."""
    rng = np.random.default_rng(0)
    item = (n_items * rng.random(n_users * EVENTS) ** 2).astype(np.int32)
    histories = Sequences(
        user=np.arange(n_users, dtype=np.int32),
        offsets=np.arange(n_users + 1, dtype=np.int64) * EVENTS,
        item=item,
        time=np.tile(np.arange(EVENTS, dtype=np.int64), n_users),
        kind=np.zeros(len(item), np.int8),
        features=np.zeros((n_users, 0), np.float32),
    )
    targets = Targets(
        histories=histories,
        sequence=np.arange(n_users, dtype=np.int32),
        length=np.full(n_users, EVENTS, np.int32),
        item=(n_items * rng.random(n_users) ** 2).astype(np.int32),
        time=np.full(n_users, EVENTS, np.int64),
        drop_seen=True,
        counts={},
    )
    return Training(histories, n_items, np.zeros((n_items, 0), np.float32)), targets


def build(family: str, training: Training) -> Recommender:
    """A model that can score; the counting ones have counted."""
    values = CONFIGS[family]
    if family in {"gru", "wide_deep"}:
        values = {**values, **GRADIENT}
    context = Context(training, 0, torch.device("cpu"), "fp32")
    model: Recommender = families_of("next_item")[family].model(values, context)
    if family not in {"gru", "wide_deep"}:
        model.fit_epoch()
    return model


@torch.inference_mode()
def by_sorting(model: Recommender, ranker: Ranker, n: int) -> float:
    """Seconds for the ranks of the first n targets or so as one writes them by hand."""
    seen, started = 0, time.perf_counter()
    for block, scores in ranker.scores(model):
        order = scores[block.query].argsort(dim=1, descending=True)
        (order == block.target[:, None]).nonzero()
        seen += len(block.target)
        if seen >= n:
            break
    return (time.perf_counter() - started) / seen


def measure(family: str, n_users: int, n_items: int, rounds: int) -> dict[str, object]:
    """Rank in this process."""
    torch.set_num_threads(1)
    training, targets = world(n_users, n_items)
    model = build(family, training)
    ranker = Ranker(targets, n_items, torch.device("cpu"))
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        ranker.ranks(model)
        seconds.append(time.perf_counter() - started)
    found: dict[str, object] = {
        "seconds": statistics.median(seconds),
        "peak_gib": peak_gib(),
    }
    if family == "gru":
        found["sorting_seconds"] = by_sorting(model, ranker, SORTED) * n_users
    return found


def main() -> None:
    """Measure each family in a subprocess and print ratios to the limits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--learners", type=int, default=20_000)
    parser.add_argument("--courses", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--families", nargs="*", default=["gru"], choices=list(CONFIGS))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        shape = (options.learners, options.courses, options.rounds)
        print(json.dumps(measure(options.measure, *shape)))
        return
    print(f"{options.learners:,} learners over {options.courses:,} courses, one thread")
    found = {}
    for family in options.families:
        command = [sys.executable, str(Path(__file__)), "--measure", family]
        for name in ("learners", "courses", "rounds"):
            command += [f"--{name}", str(getattr(options, name))]
        with environment_variables(worker_environment(Resources())):
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        row = found[family] = json.loads(done.stdout)
        print(
            f"{family:22} {row['seconds']:6.1f} s, {row['seconds'] / LIMIT_SECONDS:.2f} of the "
            f"limit; peak {row['peak_gib']:.2f} GiB, {row['peak_gib'] / LIMIT_GIB:.2f} of the limit"
        )
        if "sorting_seconds" in row:
            ratio = row["sorting_seconds"] / row["seconds"]
            print(f"{'':22} by sorting {row['sorting_seconds']:.0f} s: {ratio:.1f}x as long")
    print(json.dumps({"benchmark": "evaluation", "families": found}))


if __name__ == "__main__":
    main()
