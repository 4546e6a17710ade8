"""How time and memory grow with the catalogue and with the log, and where that leads.

    python benchmarks/scaling.py [--parts training evaluation preparation]

- training: a step of a GRU (64 windows of 20 events) over growing catalogues: sampled softmax with
  rows in use only, the same with dense steps, and the exact softmax.
- evaluation: ranking 500 learners over growing catalogues.
- preparation: growing logs, from CSV to a prepared folder.

Each size is measured in a process of its own with one thread (preparation: all cores). Growth is
the slope in log-log coordinates through the measured sizes: 0 does not grow, 1 doubles with the
size. The last line is JSON. `docs/scaling.md` reads the figures.
"""

import argparse
import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import torch

import preparation
from evaluation import CONFIGS, GRADIENT, world
from peaks import peak_gib
from recsweep.config.schema import Resources
from recsweep.models import tables
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker
from recsweep.models.registry import families_of
from recsweep.tasks.next_item.ranking import Ranker
from recsweep.training.process import environment_variables, worker_environment

COURSES = (50_000, 100_000, 200_000, 400_000)
EVENTS = (5_000_000, 10_000_000, 20_000_000)
LEARNERS, STEPS = 500, 12
WAYS = ("sampled softmax, rows in use", "sampled softmax, dense", "exact softmax")
TO_COURSES, TO_EVENTS = 1_000_000, 100_000_000


def build(n_items: int, way: str) -> GradientRanker:
    """A GRU on a made-up log of 64,000 events."""
    training, _ = world(3200, n_items)
    loss = "cross_entropy" if way.startswith("exact") else "sampled_softmax"
    if way.endswith("dense"):
        tables.SPARSE_FROM = sys.maxsize
    values = {**CONFIGS["gru"], **GRADIENT, "loss": loss, "negatives": 512, "batch_size": 64}
    context = Context(training, 0, torch.device("cpu"), "fp32")
    model = families_of("next_item")["gru"].model(values, context)
    assert isinstance(model, GradientRanker)
    return model


def training_step(n_items: int, way: str) -> dict[str, float]:
    """Seconds of a step, its batch included, and the peak."""
    model = build(n_items, way)
    seconds: list[float] = []
    step = model._step

    def timed() -> torch.Tensor:
        norm = step()
        seconds.append(time.perf_counter())
        if len(seconds) > STEPS:
            raise StopIteration
        return norm

    model._step = timed  # type: ignore[method-assign]
    with contextlib.suppress(StopIteration):
        model.fit_epoch()
    return {"seconds": float(np.median(np.diff(seconds)[1:])), "peak_gib": peak_gib()}


def ranking(n_items: int) -> dict[str, float]:
    """Seconds to rank for 500 learners, and the peak."""
    training, targets = world(LEARNERS, n_items)
    context = Context(training, 0, torch.device("cpu"), "fp32")
    ranker = Ranker(targets, n_items, torch.device("cpu"))
    model = families_of("next_item")["gru"].model({**CONFIGS["gru"], **GRADIENT}, context)
    ranker.ranks(model)
    started = time.perf_counter()
    ranker.ranks(model)
    return {"seconds": time.perf_counter() - started, "peak_gib": peak_gib()}


def log_of(n_events: int) -> dict[str, float]:
    """Seconds and peak of a preparation."""
    with tempfile.TemporaryDirectory() as temporary:
        log = Path(temporary) / "log.csv"
        preparation.write_log(log, n_events)
        command = [sys.executable, preparation.__file__, "--measure", str(log), temporary]
        environment = {**os.environ}
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            environment.pop(name, None)
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
    found = json.loads(done.stdout)
    return {"seconds": found["prepare_seconds"], "peak_gib": found["peak_gib"]}


def measure(what: str, size: int) -> dict[str, float]:
    """One size, in this process."""
    torch.set_num_threads(1)
    return ranking(size) if what == "evaluation" else training_step(size, what)


def in_a_process(what: str, size: int) -> dict[str, float]:
    """One size, in a process of its own."""
    if what == "preparation":
        return log_of(size)
    command = [sys.executable, __file__, "--measure", what, str(size)]
    with environment_variables(worker_environment(Resources())):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def growth(sizes: list[int], values: list[float]) -> float:
    """Slope in log-log coordinates."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def series(what: str, sizes: tuple[int, ...], to: int) -> dict[str, object]:
    """Measure, print, and extrapolate in a straight line from the two largest sizes."""
    print(what)
    rows = []
    for size in sizes:
        row = in_a_process(what, size)
        rows.append(row)
        print(f"  {size:12,} {row['seconds']:9.3f} s  peak {row['peak_gib']:.2f} GiB", flush=True)
    found: dict[str, object] = {"sizes": list(sizes)}
    for key in ("seconds", "peak_gib"):
        values = [row[key] for row in rows]
        slope = (values[-1] - values[-2]) / (sizes[-1] - sizes[-2])
        there = values[-1] + max(0.0, slope) * (to - sizes[-1])
        found[key] = [round(value, 4) for value in values]
        found[f"{key}_growth"] = round(growth(list(sizes), values), 2)
        found[f"{key}_at_{to}"] = round(there, 3)
    seconds, peak = found[f"seconds_at_{to}"], found[f"peak_gib_at_{to}"]
    print(
        f"  grows as size^{found['seconds_growth']} (seconds), size^{found['peak_gib_growth']} "
        f"(peak); {to:,} extrapolated: {seconds} s, {peak} GiB"
    )
    return found


def main() -> None:
    """Measure every part."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parts = ["training", "evaluation", "preparation"]
    parser.add_argument("--parts", nargs="*", default=parts, choices=parts)
    parser.add_argument("--largest", type=float, default=math.inf, help="leave out larger sizes")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure[0], int(options.measure[1]))))
        return
    courses = tuple(size for size in COURSES if size <= options.largest)
    events = tuple(size for size in EVENTS if size <= options.largest)
    found = {}
    for part in options.parts:
        if part == "preparation":
            found[part] = series(part, events, TO_EVENTS)
        else:
            for what in WAYS if part == "training" else (part,):
                found[what] = series(what, courses, TO_COURSES)
    print(json.dumps({"benchmark": "scaling", "found": found}))


if __name__ == "__main__":
    main()
