"""GRU training speed: recsweep's engine against a plain nn.GRU loop, side by side.

    python benchmarks/training.py [--rounds 5] [--workers 2]

Both train the same network (hidden 128, embedding 64, tied, Adam, float32) with the exact full
softmax on the same events of MovieLens 100k, in as many one-thread processes as `--workers`, taking
turns within each round. The plain loop is what one writes by hand: windows of a history, padded,
nn.GRU, every place predicts the next event, F.cross_entropy. An event counts once it has been a
target; building the batches is part of the time. Targets that follow one state share its logits in
recsweep (half of this log's events share a timestamp with another of their learner); the loss and
its gradient are exact all the same.
"""

import argparse
import json
import multiprocessing as mp
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from recsweep.config.files import load_experiment
from recsweep.data.folds import development_folds
from recsweep.data.prepare import prepare
from recsweep.data.types import Training
from recsweep.models.neural import Neural
from recsweep.models.protocol import Context
from recsweep.models.recurrent import RecurrentConfig, build_gru

ROOT = Path(__file__).parents[1]
HIDDEN, EMBEDDING, WINDOW, BATCH = 128, 64, 50, 32
SECONDS = 5.0


class PlainGRU(nn.Module):
    """The network as one writes it by hand."""

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_items, EMBEDDING)
        self.gru = nn.GRU(EMBEDDING, HIDDEN, batch_first=True)
        self.project = nn.Linear(HIDDEN, EMBEDDING)
        self.bias = nn.Parameter(torch.zeros(n_items))

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        """(n_rows, longest, n_items) logits."""
        states, _ = self.gru(self.embedding(items))
        return F.linear(self.project(states), self.embedding.weight, self.bias)


def plain_loop(training: Training, seconds: float) -> float:
    """Targets a second of the plain loop."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    sequences = training.sequences
    windows = [
        sequences.item[start : min(start + WINDOW + 1, end)]
        for begin, end in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True)
        for start in range(begin, end - 1, WINDOW)
    ]
    model = PlainGRU(training.n_items)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    seen, started = 0, time.perf_counter()
    while True:
        order = rng.permutation(len(windows))
        for at in range(0, len(order), BATCH):
            chosen = [windows[i] for i in order[at : at + BATCH]]
            longest = max(map(len, chosen))
            items = np.zeros((len(chosen), longest - 1), np.int64)
            targets = np.full((len(chosen), longest - 1), -100, np.int64)
            for row, window in enumerate(chosen):
                items[row, : len(window) - 1] = window[:-1]
                targets[row, : len(window) - 1] = window[1:]
            logits = model(torch.from_numpy(items))
            loss = F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            seen += sum(len(window) - 1 for window in chosen)
            if (elapsed := time.perf_counter() - started) > seconds:
                return seen / elapsed


def engine(training: Training, seconds: float, precision: str) -> float:
    """Targets a second of recsweep, whole epochs."""
    config = RecurrentConfig(
        depth=1,
        hidden_size=HIDDEN,
        embedding_size=EMBEDDING,
        dropout=0.0,
        learning_rate=1e-3,
        weight_decay=0.0,
        batch_size=BATCH,
        window=WINDOW,
        loss="cross_entropy",
        tied_embeddings=True,
    )
    model = build_gru(config, Context(training, 0, torch.device("cpu"), precision))
    assert isinstance(model, Neural)
    seen, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        model.fit_epoch()
        seen += model.batches.windows.n_targets
    return seen / elapsed


WAYS: dict[str, Callable[[Training, float], float]] = {
    "plain nn.GRU loop": plain_loop,
    "recsweep fp32": lambda training, seconds: engine(training, seconds, "fp32"),
    "recsweep bf16": lambda training, seconds: engine(training, seconds, "bf16"),
}


_shared: dict[str, Any] = {}


def _share(training: Training, barrier: Any) -> None:
    torch.set_num_threads(1)
    _shared.update(training=training, barrier=barrier)


def _work(way: str) -> float:
    WAYS[way](_shared["training"], 0.5)  # warm up
    _shared["barrier"].wait(60)
    return WAYS[way](_shared["training"], SECONDS)


def main() -> None:
    """Print targets a second and ratios to the plain loop, medians over rounds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
        for number in range(options.rounds):
            for way in WAYS:
                speeds[way].append(sum(pool.map(_work, [way] * options.workers)))
            latest = ", ".join(f"{way} {found[-1]:,.0f}" for way, found in speeds.items())
            print(f"round {number + 1}: {latest}", flush=True)
    plain = speeds["plain nn.GRU loop"]
    figures = {}
    for way, found in speeds.items():
        ratio = statistics.median(a / b for a, b in zip(found, plain, strict=True))
        figures[way] = {
            "events_per_second": round(statistics.median(found)),
            "ratio": round(ratio, 3),
        }
        print(f"{way:20} {statistics.median(found):10,.0f} events/s {ratio:6.2f}x")
    print(json.dumps({"benchmark": "training", "workers": options.workers, "figures": figures}))


if __name__ == "__main__":
    main()
