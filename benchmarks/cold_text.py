"""Does a study see what text is worth for new courses, where the truth is known?

    python benchmarks/cold_text.py

SYNTHETIC logs of the simulator: 60 in 100 courses are listed during the log, and one with fewer
than three events before the test counts as cold. At `text` = 1 a course's title and description
tell its whole appeal, at `text` = 0 nothing of it. A GRU with fixed settings is trained with course
ids alone and with the text besides, five seeds each, on each of ten logs of either kind. Counted:
verdicts for text on the cold courses of the test. At 0 every one of them is a false alarm.
"""

import argparse
import json
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

from calibration_logs import GRU
from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment
from recsweep.data.features.choose import with_features
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.data.simulator import SimulatorSettings, simulate, write
from recsweep.data.types import Float64, Fold
from recsweep.evaluation.comparison import compare
from recsweep.evaluation.metrics import FUNCTIONS
from recsweep.evaluation.verdict import PairVerdict
from recsweep.stages.confirm.cold import cold_verdicts
from recsweep.tasks.folds import make_fold
from recsweep.tasks.next_item.ranking import Ranker
from recsweep.tasks.registry import TASKS
from recsweep.training.refit import refit

ROOT = Path(__file__).parents[1]
FIRST_SEED = 100  # the settings below were chosen on logs of other seeds
ARMS = {"gru+ids": [], "gru+text": ["title", "description"]}
EPOCHS = 8
LEVEL = 0.95


def simulated_test(text: float, seed: int, learners: int, folder: Path) -> tuple[Experiment, Fold]:
    """A log, and the fold that trains on all before its test."""
    settings = SimulatorSettings(
        learners=learners,
        courses=600,
        browses=12,
        popularity=0.3,
        taste=4,
        order=0,
        text=text,
        new_courses=0.6,
        seed=seed,
    )
    log = simulate(settings)
    path = write(log, folder / "log", families=["gru"])
    log.items.with_columns(listed_at=log.listed).write_parquet(
        folder / "log/synthetic_items.parquet"
    )
    entry = {"space": "search_spaces/gru.yaml"}
    keys = load_experiment(path).model_dump(mode="json")
    keys["data"]["users"] = None
    keys["data"]["items"] = {
        "path": str(folder / "log/synthetic_items.parquet"),
        "format": "parquet",
        "key": "item_id",
        "text": ["title", "description"],
        "valid_from": "listed_at",
        "valid_from_format": "unix_ms",
    }
    keys["targets"] = {"types": ["browse"], "candidates": "catalogue"}
    keys["folds"] = {"count": 1, "test": 0.25, "min_item_events": 3}
    keys["families"] = {arm: {**entry, "features": names} for arm, names in ARMS.items()}
    experiment = Experiment.model_validate(keys)
    opened = unseal(prepare(experiment, folder))
    return experiment, make_fold("test", opened.development, opened.cuts.test, opened, experiment)


def values_of(fold: Fold, columns: list[str], seeds: int, experiment: Experiment) -> Float64:
    """(n_seeds, n_targets) of the study's metric."""
    seen, device = with_features(fold, columns), torch.device("cpu")
    ranker = Ranker(seen.validation, seen.n_items, device)
    metric = experiment.metric
    rows = []
    for seed in range(seeds):
        model = refit(
            "gru",
            GRU,
            seen.training,
            epochs=EPOCHS,
            seed=seed,
            device=device,
            task=TASKS["next_item"],
        )
        rows.append(FUNCTIONS[metric.name](ranker.ranks(model), metric.k))
    return np.stack(rows)


def verdict(text: float, seed: int, learners: int, seeds: int) -> PairVerdict:
    """`gru+ids` against `gru+text` on the cold courses of one log."""
    with tempfile.TemporaryDirectory() as folder:
        experiment, fold = simulated_test(text, seed, learners, Path(folder))
    values = {arm: values_of(fold, names, seeds, experiment) for arm, names in ARMS.items()}
    n_known = fold.training.n_known
    ask = experiment.confirm
    judge = partial(
        compare,
        smallest_effect=ask.smallest_effect,
        resamples=ask.resamples,
        seed=experiment.seed,
        level=LEVEL,
        bound=experiment.metric.bound,
    )
    (pair,) = cold_verdicts(values, fold.validation, n_known, experiment, judge)
    return pair


def main() -> None:
    """Count verdicts, planted and not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--logs", type=int, default=10, help="of either kind")
    parser.add_argument("--learners", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    result: dict[str, object] = {"logs": options.logs, "learners": options.learners}
    for text in (1.0, 0.0):
        began = time.perf_counter()
        pairs = []
        for seed in range(FIRST_SEED, FIRST_SEED + options.logs):
            pairs.append(verdict(text, seed, options.learners, options.seeds))
            print(f"text {text:g}, log {seed}: {pairs[-1].sentence('NDCG@10')}", flush=True)
        for_text = sum(pair.outcome == "worse" for pair in pairs)
        against = sum(pair.outcome == "better" for pair in pairs)
        gain = -float(np.mean([pair.difference for pair in pairs]))
        print(
            f"text {text:g}: {for_text} of {len(pairs)} verdicts for text, {against} against it, "
            f"mean gain {gain:+.4f} NDCG@10, {time.perf_counter() - began:.0f} s\n"
        )
        result[f"text {text:g}"] = {"for text": for_text, "against": against, "gain": gain}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
