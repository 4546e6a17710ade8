"""Training speed: recsweep's engine against a plain loop of torch's layers, side by side.

    python benchmarks/training.py [--family gru|lstm|sasrec] [--rounds 5] [--workers 2]

Both train the same network (embedding 64, tied; hidden 128, or two blocks of two heads; Adam,
float32) with the exact full softmax on the same events of MovieLens 100k, in as many one-thread
processes as `--workers`, taking turns within each round. The plain loop is what one writes by hand
(`plain_loop.py`). An event counts once it has been a target; building the batches is part of the
time. Targets that follow one state share its logits in recsweep (half of this log's events share a
timestamp with another of their learner); the loss and its gradient are exact all the same.
"""

import argparse
import json
import multiprocessing as mp
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch

from plain_loop import CONFIGS, PlainLoop
from recsweep.config.files import load_experiment
from recsweep.data.prepare import prepare
from recsweep.data.types import Training
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker
from recsweep.models.registry import families_of
from recsweep.tasks.folds import development_folds

ROOT = Path(__file__).parents[1]
SECONDS = 5.0


def plain_loop(family: str, training: Training, seconds: float) -> float:
    """Targets a second of the plain loop."""
    loop = PlainLoop(training, family=family)
    seen, started = 0, time.perf_counter()
    while True:
        for chosen in loop.batches():
            seen += loop.step(chosen)
            if (elapsed := time.perf_counter() - started) > seconds:
                return seen / elapsed


def engine(precision: str, family: str, training: Training, seconds: float) -> float:
    """Targets a second of recsweep, whole epochs."""
    model = families_of("next_item")[family].model(
        CONFIGS[family], Context(training, 0, torch.device("cpu"), precision)
    )
    assert isinstance(model, GradientRanker)
    seen, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        model.fit_epoch()
        seen += model.batches.windows.n_targets
    return seen / elapsed


WAYS: dict[str, Callable[[str, Training, float], float]] = {
    "plain loop": plain_loop,
    "recsweep fp32": partial(engine, "fp32"),
    "recsweep bf16": partial(engine, "bf16"),
}


_shared: dict[str, Any] = {}


def _share(training: Training, barrier: Any) -> None:
    torch.set_num_threads(1)
    _shared.update(training=training, barrier=barrier)


def _work(way: str, family: str) -> float:
    WAYS[way](family, _shared["training"], 0.5)  # warm up
    _shared["barrier"].wait(60)
    return WAYS[way](family, _shared["training"], SECONDS)


def main() -> None:
    """Print targets a second and ratios to the plain loop, medians over rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--family", choices=CONFIGS, default="gru")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    experiment = load_experiment(ROOT / "experiments/default.yaml", ["features=[]"])
    training = development_folds(prepare(experiment, ROOT), experiment)[-1].training
    print(
        f"{len(training.sequences.item):,} training events, {training.n_items:,} courses; "
        f"{options.workers} one-thread processes, {options.rounds} rounds of {SECONDS:g} s"
    )
    speeds: dict[str, list[float]] = {way: [] for way in WAYS}
    spawn = mp.get_context("spawn")
    with ProcessPoolExecutor(
        options.workers, spawn, _share, (training, spawn.Barrier(options.workers))
    ) as pool:
        work = partial(_work, family=options.family)
        for number in range(options.rounds):
            for way in WAYS:
                speeds[way].append(sum(pool.map(work, [way] * options.workers)))
            latest = ", ".join(f"{way} {found[-1]:,.0f}" for way, found in speeds.items())
            print(f"round {number + 1}: {latest}", flush=True)
    plain = speeds["plain loop"]
    figures = {}
    for way, found in speeds.items():
        ratio = statistics.median(a / b for a, b in zip(found, plain, strict=True))
        figures[way] = {
            "events_per_second": round(statistics.median(found)),
            "ratio": round(ratio, 3),
        }
        print(f"{way:20} {statistics.median(found):10,.0f} events/s {ratio:6.2f}x")
    result = {"benchmark": "training", "family": options.family, "workers": options.workers}
    print(json.dumps({**result, "figures": figures}))


if __name__ == "__main__":
    main()
