"""Seconds to a validation NDCG@10 of .058: `gru`, a plain loop, and the peers' GRU4Rec.

    python benchmarks/race.py --environment FOLDER [--gru4rec PATH] [--warprec FOLDER]
                              [--cornac FOLDER] [--goal 0.058] [--limit 900]

`--environment` and `--gru4rec` as for `peers.py`; `--warprec` is a virtual environment of Python
3.12 with warprec 2.2.8, `--cornac` one with cornac and torch. MovieLens 100k, leave-one-out, every
event at its own place. Everybody trains in a process of one thread until NDCG@10 of each learner's
event before the last is good enough, or until `--limit` seconds are over; candidates are all
courses but those of the history. Seconds are a processor's, of training alone, so that other work
on the machine does not count. `gru` is the first trial of its space; the peers' configurations are
in `peer_race.py`. "quick" ones were chosen for this race: of `gru` within its space, of GRU4Rec
official among eight. implicit, which knows no order, is there to tell how far one comes without.

The last line is JSON.
"""

import argparse
import json
import multiprocessing as mp
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch

from peaks import peak_gib
from peers import CPU, events, install, peer, targets_of, training_of, write_log
from plain_loop import PlainLoop
from recsweep.config.schema import Resources
from recsweep.config.values import Configuration
from recsweep.data.types import Targets, Training
from recsweep.evaluation.metrics import ndcg
from recsweep.models.protocol import Context, Recommender
from recsweep.models.registry import families_of
from recsweep.models.registry import family as family_of
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.tasks.next_item.ranking import Ranker
from recsweep.training.process import environment_variables, worker_environment

QUICK: Configuration = {
    "embedding_size": 64,
    "hidden_size": 64,
    "tied_embeddings": True,
    "dropout": 0.0,
    "learning_rate": 0.02,
}


def ours(
    way: str, goal: float, limit: float, training: Training, targets: Targets
) -> dict[str, Any]:
    """Seconds and NDCG@10 after every epoch, and the most memory."""
    torch.set_num_threads(1)
    ranker = Ranker(targets, training.n_items, CPU)
    model: Recommender
    if way == "plain loop":
        model = PlainLoop(training)
    else:
        path = own_space(family_of("gru"), "next_item")
        assert path is not None
        space = load_space(path, families_of("next_item"))
        config = space.whole({**space.defaults, **(QUICK if "quick" in way else {})})
        context = Context(training, 0, CPU, way.rsplit(maxsplit=1)[-1])
        model = families_of("next_item")["gru"].model(config, context)
    seconds, rows = 0.0, list[tuple[float, float]]()
    while not rows or (rows[-1][1] < goal and seconds <= limit):
        began = time.process_time()
        model.fit_epoch()
        seconds += time.process_time() - began
        rows.append((seconds, float(ndcg(ranker.ranks(model), 10).mean())))
    return {"epochs": rows, "peak_gib": peak_gib()}


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--gru4rec", type=Path)
    parser.add_argument("--warprec", type=Path)
    parser.add_argument("--cornac", type=Path)
    parser.add_argument("--goal", type=float, default=0.058)
    parser.add_argument("--limit", type=float, default=900.0)
    options = parser.parse_args()
    goal, limit = options.goal, options.limit
    log = events()
    training, targets = training_of(log, "place"), targets_of(log, drop_seen=True)
    python = install(options.environment)
    runs = {"RecBole GRU4Rec": (python, "recbole"), "implicit ALS": (python, "implicit")}
    if options.gru4rec:
        runs["GRU4Rec official"] = (python, "gru4rec")
        runs["GRU4Rec, quick"] = (python, "gru4rec_quick")
    for name in ("warprec", "cornac"):
        if folder := getattr(options, name):
            runs[f"{name} GRU4Rec"] = (folder / "bin" / "python", name)
    found: dict[str, dict[str, Any]] = {}
    spawn = mp.get_context("spawn")
    for way in ("gru fp32", "gru bf16", "gru quick fp32", "gru quick bf16", "plain loop"):
        with (
            environment_variables(worker_environment(Resources())),
            ProcessPoolExecutor(1, spawn) as pool,
        ):
            found[way] = pool.submit(ours, way, goal, limit, training, targets).result()
        tell(way, found[way], goal)
    with tempfile.TemporaryDirectory() as temporary:
        write_log(log, Path(temporary))
        for name, (interpreter, which) in runs.items():
            arguments = [which, temporary, str(goal), str(limit)]
            if which.startswith("gru4rec"):
                arguments.append(str(options.gru4rec.resolve()))
            found[name] = peer(interpreter, *arguments, script="peer_race.py")
            tell(name, found[name], goal)
    print(json.dumps({"benchmark": "race", "goal": goal, "found": found}))


def tell(name: str, run: dict[str, Any], goal: float) -> None:
    """A line of the table."""
    seconds, value = run["epochs"][-1]
    epochs = f"{len(run['epochs'])} epoch{'s' if len(run['epochs']) > 1 else ''}"
    word = "" if value >= goal else "  not reached"
    print(
        f"{name:20} {seconds:7.1f} s  NDCG@10 {value:.4f} after {epochs:10} "
        f"{run['peak_gib']:.2f} GiB{word}",
        flush=True,
    )


if __name__ == "__main__":
    main()
