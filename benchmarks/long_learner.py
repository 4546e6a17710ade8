"""One learner with very many events: what do time and memory of each family grow with?

    python benchmarks/long_learner.py [--events 50000] [--families gru item_knn] [--tasks purchase]

Two logs with as many events: in one of them a single learner has them all, beside two hundred
ordinary ones; in the other they are spread over learners of fifty events each. Each family is
trained for one epoch by its published defaults on the days before the cut and asked of every target
after it, in a process of its own with one thread. Memory that is bounded by the sum of lengths is
about the same on both logs, whatever the longest. Of a case that ends by its limit of time
(exit -24), the peak until then is told. The last line is JSON.
"""

import argparse
import json
import os
import resource
import sys
import time
from contextlib import suppress
from multiprocessing import get_context

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import torch

from peaks import peak_gib
from recsweep.data.types import BOUGHT, KINDS, Fold
from recsweep.models.protocol import Context
from recsweep.models.registry import families, families_of
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.tasks.registry import TASKS
from recsweep.testing.worlds import END, Row, fold_of

CPU = torch.device("cpu")
FORK = get_context("fork")
COURSES, ORDINARY, LENGTH = 500, 200, 50
LOGS = ("one learner", "spread")


def log(events: int, which: str) -> list[Row]:
    """So many events of one learner or of many, after those of two hundred learners."""
    extra = [events] if which == "one learner" else [LENGTH] * (events // LENGTH)
    lengths = [LENGTH] * ORDINARY + extra
    random = np.random.default_rng(0)
    learner = np.repeat(np.arange(len(lengths)), lengths)
    day, course = random.uniform(0, END, len(learner)), random.integers(0, COURSES, len(learner))
    kind = np.where(random.random(len(learner)) < 0.1, BOUGHT, KINDS.index("browse"))
    return list(zip(*(a.tolist() for a in (learner, day, course, kind)), strict=True))


def measure(task: str, family: str, events: int, which: str) -> dict[str, float]:
    """Seconds of computing and the peak, of folds alone (`family` empty) or with a model."""
    fold = fold_of(task, {}, log(events, which), COURSES)
    began = time.process_time()
    found: dict[str, float] = {"folds_gib": peak_gib()}
    if family:
        model = _trained(task, family, fold)
        found["fit_s"], found["fit_gib"] = time.process_time() - began, peak_gib()
        began = time.process_time()
        TASKS[task].scorer(fold.validation, fold.n_items, CPU).outcomes(model)
        found["ask_s"], found["ask_gib"] = time.process_time() - began, peak_gib()
    return {name: round(value, 2) for name, value in found.items()}


def _trained(task: str, name: str, fold: Fold) -> object:
    torch.set_num_threads(1)
    family = families_of(task)[name]
    path = own_space(families()[name], task)
    assert path is not None
    space = load_space(path, {name: family})
    model = family.model(space.whole(space.defaults), Context(fold.training, 0, CPU, "fp32"))
    model.fit_epoch()
    return model


def apart(seconds: int, **case: object) -> dict[str, float]:
    """Measure a case in a process of its own, of so many seconds of computing."""
    ours, theirs = FORK.Pipe(duplex=False)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        theirs.send(measure(**case))  # type: ignore[arg-type]

    process = FORK.Process(target=work)
    process.start()
    theirs.close()
    peak = 0.0
    while not ours.poll(0.2):
        with suppress(ValueError, OSError):  # it has just ended
            peak = peak_gib(process.pid or 0)
    try:
        found: dict[str, float] = ours.recv()
    except EOFError:
        found = {"peak_gib": round(peak, 2)}
    process.join()
    return {**found, "exit": float(process.exitcode or 0)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=50_000)
    parser.add_argument("--families", nargs="*", default=None)
    parser.add_argument("--tasks", nargs="*", default=["next_item", "purchase"])
    parser.add_argument("--logs", nargs="*", default=LOGS)
    parser.add_argument("--seconds", type=int, default=600, help="of computing, for each case")
    asked = parser.parse_args()
    results = []
    for task in asked.tasks:
        known = {name for name in families_of(task) if own_space(families()[name], task)}
        for family in sorted(known & {*(asked.families or known)}):
            for which in asked.logs:
                case = {"task": task, "family": family, "which": which}
                figures = apart(asked.seconds, **case, events=asked.events)
                results.append({**case, **figures})
                sys.stdout.write(f"{task:10} {family:22} {which:12} {figures}\n")
                sys.stdout.flush()
    sys.stdout.write(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
