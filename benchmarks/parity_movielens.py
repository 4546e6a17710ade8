"""`gru` beside GRU4Rec official on MovieLens 100k, leave one out: six trials each, in one run.

    python benchmarks/parity_movielens.py --environment FOLDER --gru4rec PATH [--trials 6]

FOLDER is the virtual environment of `peers.py`; PATH a checkout of GRU4Rec_PyTorch_Official. The
sequences, the candidates (the whole catalogue without the courses of a history), the stopping (five
epochs without a better one, at most 24) and the machine are the same, one thread each. Each side
has its own space: what it tries first, then random draws; `gru` with every event at its own
place. The trial and the epoch that are best on each learner's event before the last are asked for
the last one; nobody trains on the one before. The difference has a paired t interval over learners.
Seconds are a processor's, of training alone.

The last line is JSON.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import optuna
import torch
from scipy.stats import ttest_rel

from peer import PATIENCE
from peers import events, install, peer, targets_of, training_of, write_log
from recsweep.config.values import Configuration
from recsweep.data.types import Targets, Training
from recsweep.evaluation.metrics import ndcg, recall
from recsweep.models.protocol import Context
from recsweep.models.ranker import GradientRanker
from recsweep.models.registry import families_of
from recsweep.models.registry import family as family_of
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.tasks.next_item.ranking import Ranker

EPOCHS = 24
CPU = torch.device("cpu")


def configurations(family: str, trials: int) -> Iterator[Configuration]:
    """The first trials of the family's space, then random draws."""
    path = own_space(family_of(family), "next_item")
    assert path is not None
    space = load_space(path, families_of("next_item"))
    first = [space.whole(config) for config in space.first().values()]
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = (space.suggest(study.ask()) for _ in range(trials - len(first)))
    yield from first[:trials]
    yield from drawn


def measured(
    family: str,
    config: Configuration,
    training: Training,
    targets: Sequence[Targets],
    precision: str,
    seed: int,
) -> list[dict[str, Any]]:
    """(recall@10, NDCG@10) of every epoch, the test's NDCG@10 of each learner, and seconds of
    training.
    """
    model = families_of("next_item")[family].model(config, Context(training, seed, CPU, precision))
    assert isinstance(model, GradientRanker)
    rankers = [Ranker(each, training.n_items, CPU) for each in targets]
    rows: list[dict[str, Any]] = []
    best = 0
    while len(rows) < EPOCHS and len(rows) - 1 - best < PATIENCE:
        began = time.process_time()
        model.fit_epoch()
        row: dict[str, Any] = {"seconds": time.process_time() - began}
        for name, ranker in zip(("validation", "test"), rankers, strict=True):
            ranks = ranker.ranks(model)
            gains = ndcg(ranks, 10)
            row[name] = (float(recall(ranks, 10).mean()), float(gains.mean()))
        row["gains"] = gains.tolist()  # of the last one, the test's
        rows.append(row)
        best = max(range(len(rows)), key=lambda at: rows[at]["validation"][1])
    return rows


def told(name: str, trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The best trial's epoch by validation, and seconds of all trials."""
    number, epoch = max(
        ((n, e) for n, trial in enumerate(trials) for e in range(len(trial["epochs"]))),
        key=lambda at: trials[at[0]]["epochs"][at[1]]["validation"][1],
    )
    row = trials[number]["epochs"][epoch]
    seconds = sum(each["seconds"] for trial in trials for each in trial["epochs"])
    epochs = sum(len(trial["epochs"]) for trial in trials)
    print(
        f"{name:18} recall@10 {row['test'][0]:.4f}  NDCG@10 {row['test'][1]:.4f}  (validation "
        f"{row['validation'][1]:.4f}; trial {number}, epoch {epoch + 1})  {seconds:7.1f} s of "
        f"{epochs} epochs",
        flush=True,
    )
    return {**row, "seconds": seconds}


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--environment", type=Path, required=True)
    parser.add_argument("--gru4rec", type=Path, required=True)
    parser.add_argument("--trials", type=int, default=6)
    options = parser.parse_args()
    python, log = install(options.environment), events()
    torch.set_num_threads(1)
    training = training_of(log, "place")
    targets = [targets_of(log, which, drop_seen=True) for which in (2, 1)]
    found = {}
    for precision in ("fp32", "bf16"):
        trials = [
            {"epochs": measured("gru", config, training, targets, precision, seed)}
            for seed, config in enumerate(configurations("gru", options.trials))
        ]
        found[f"gru {precision}"] = told(f"gru {precision}", trials)
    with tempfile.TemporaryDirectory() as temporary:
        write_log(log, Path(temporary))
        path = str(options.gru4rec.resolve())
        theirs = peer(python, "gru4rec-trials", temporary, path, str(options.trials), str(EPOCHS))
    found["GRU4Rec official"] = told("GRU4Rec official", theirs["trials"])
    official = found["GRU4Rec official"]
    gains = {name: each.pop("gains") for name, each in found.items()}
    for name in ("gru fp32", "gru bf16"):
        low, high = ttest_rel(gains[name], gains["GRU4Rec official"]).confidence_interval()
        found[name]["ahead"] = (float(low), float(high))
        print(
            f"{name}: {found[name]['test'][1] - official['test'][1]:+.4f} [{low:.4f}, {high:.4f}] "
            f"NDCG@10 over {len(gains[name])} learners, in "
            f"{found[name]['seconds'] / official['seconds']:.2f} of the official's seconds"
        )
    print(json.dumps({"benchmark": "parity_movielens", "found": found}))


if __name__ == "__main__":
    main()
