"""How many learners a second `recommend` answers, and the memory that a long file takes.

    python benchmarks/recommend.py [--learners 1000000] [--events 20] [--courses 10000]

A GRU with 128 hidden units, untrained: its speed is that of a trained one. The file is made here.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

CONFIG = {
    "depth": 1,
    "hidden_size": 128,
    "embedding_size": 128,
    "dropout": 0.0,
    "tied_embeddings": True,
    "loss": "cross_entropy",
    "learning_rate": 0.001,
    "weight_decay": 0.0,
    "batch_size": 64,
    "window": 50,
}


def write_model(folder: Path, courses: int) -> None:
    """A bundle of that size, by way of a study that never was."""
    import torch

    from recsweep.bundle.bundle import parts_of
    from recsweep.bundle.files import write_bundle
    from recsweep.bundle.format import Fitted, Selected
    from recsweep.config.schema import Experiment
    from recsweep.data.features.dated import ID, LABEL
    from recsweep.data.types import Cuts, Dataset, Events
    from recsweep.evaluation.probability import Calibrator
    from recsweep.models.protocol import Context
    from recsweep.models.registry import families_of
    from recsweep.tasks.development import whole_split
    from recsweep.tasks.registry import TASKS

    item = np.arange(2 * courses, dtype=np.int32) % courses
    user = (np.arange(2 * courses) // 10).astype(np.int32)
    time_of = np.arange(2 * courses, dtype=np.int64)
    events = Events(user, item, time_of, np.zeros(2 * courses, np.int8))
    ids = pl.Series([f"c{n}" for n in range(courses)])
    people = pl.Series([f"u{n}" for n in range(int(user.max()) + 1)])
    tables = [pl.DataFrame({ID: i, LABEL: i}) for i in (people, ids)]
    cuts = Cuts((), (2 * courses, 2 * courses))
    sizes = len(people), courses
    dataset = Dataset(folder, "none", cuts, events, tables[0], tables[1], *sizes)
    log = {"path": "x", "user": "user", "item": "item", "time": "time"}
    experiment = Experiment.model_validate(
        {"study": "speed", "data": {"name": "speed", "events": [log]}, "families": ["gru"]}
    )
    split = whole_split(dataset, experiment, cuts.test[0])
    training = TASKS["next_item"].training(split)
    context = Context(training, 0, torch.device("cpu"), "fp32")
    model = families_of("next_item")["gru"].model(CONFIG, context)
    content, files = parts_of(model, split, training, Calibrator())
    fitted = Fitted(
        until="everything",
        end=cuts.test[0],
        learners=1,
        events=1,
        dataset="none",
        fingerprint="none",
        raw={},
    )
    selected = Selected(trial="", rule="", metric="", value=0, folds=(), trials=None)
    content |= {
        **{"study": "speed", "family": "gru", "kind": "gru", "task": "next_item", "seed": 0},
        **{"config": CONFIG, "epochs": 1, "fitted": fitted, "selected": selected, "licence": ""},
        **{"evidence": None, "experiment": experiment, "environment": {}},
    }
    write_bundle(folder, content, files)


def write_histories(path: Path, learners: int, events: int, courses: int) -> None:
    """Learners one after another, some thousand at a time."""
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        for first in range(0, learners, 20_000):
            n = min(20_000, learners - first)
            lengths = random.poisson(events, n) + 1
            user = np.repeat(np.arange(first, first + n), lengths)
            item = random.integers(0, courses, len(user))
            frame = pl.DataFrame(
                {
                    "user": pl.Series(user).cast(pl.String),
                    "item": pl.select(pl.lit("c") + pl.Series(item).cast(pl.String)).to_series(),
                    "time": 1_700_000_000 + np.arange(len(user)),
                }
            )
            frame.write_csv(file, include_header=first == 0)


def main() -> None:
    """Make, run in a process of its own, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learners", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--courses", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        model, log = Path(place) / "model", Path(place) / "log.csv"
        write_model(model, given.courses)
        write_histories(log, given.learners, given.events, given.courses)
        began = time.perf_counter()
        command = ["-m", "recsweep", "recommend", str(model), str(log)]
        out = ["--out", str(Path(place) / "lists.parquet")]
        subprocess.run([sys.executable, *command, *out], check=True)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        size = log.stat().st_size >> 20
    found = {
        "learners": given.learners,
        "events a learner": given.events,
        "courses": given.courses,
        "MiB of CSV": size,
        "seconds": round(seconds, 1),
        "learners a second": round(given.learners / seconds),
        "peak MiB": round(peak),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
