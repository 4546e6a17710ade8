"""Is the fast engine as good? Validation NDCG@10 after equal epochs, over seeds.

    python benchmarks/quality.py [--seeds 5] [--epochs 5]

The same network, optimiser, batches of 32 windows and epochs as in `training.py`, on one split of
MovieLens 100k, beside the plain loop; all are ranked by the same code. Seed noise is the standard
deviation over the plain loop's seeds. The limit: the mean lags by no more than the 95% bound that
two means over equally many seeds stay within by chance. The last line is JSON.
"""

import argparse
import json
import math
import multiprocessing as mp
import os
import statistics
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch
from scipy.special import stdtrit

from plain_loop import CONFIG, PlainLoop
from recsweep.config.files import load_experiment
from recsweep.data.prepare import prepare
from recsweep.data.types import Fold
from recsweep.evaluation.metrics import ndcg, user_means
from recsweep.models.protocol import Context, Recommender
from recsweep.models.registry import families_of
from recsweep.tasks.folds import development_folds
from recsweep.tasks.next_item.ranking import Ranker

ROOT = Path(__file__).parents[1]
CPU = torch.device("cpu")
WAYS = ("plain loop", "recsweep fp32", "recsweep bf16")
_shared: dict[str, Any] = {}


def _share(fold: Fold, epochs: int) -> None:
    torch.set_num_threads(1)
    _shared.update(fold=fold, epochs=epochs)


def _score(job: tuple[str, int]) -> float:
    way, seed = job
    fold: Fold = _shared["fold"]
    model: Recommender
    if way == "plain loop":
        model = PlainLoop(fold.training, seed=seed)
    else:
        context = Context(fold.training, seed, CPU, way.removeprefix("recsweep "))
        model = families_of("next_item")["gru"].model(CONFIG, context)
    for _ in range(_shared["epochs"]):
        model.fit_epoch()
    ranks = Ranker(fold.validation, fold.n_items, CPU).ranks(model)
    return float(user_means(ndcg(ranks, 10), fold.validation.sequence).mean())


def main() -> None:
    """Print means and differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    options = parser.parse_args()
    chosen = ["features=[]", "folds.count=1"]
    ours = load_experiment(ROOT / "experiments/default.yaml", chosen)
    fold = development_folds(prepare(ours, ROOT), ours)[0]
    jobs = [(way, seed) for seed in range(options.seeds) for way in WAYS]
    spawn = mp.get_context("spawn")
    with ProcessPoolExecutor(2, spawn, _share, (fold, options.epochs)) as pool:
        scores = list(pool.map(_score, jobs))
    by_way = {way: [s for (w, _), s in zip(jobs, scores, strict=True) if w == way] for way in WAYS}
    plain = by_way["plain loop"]
    noise = statistics.stdev(plain)
    bound = float(stdtrit(2 * options.seeds - 2, 0.975)) * noise * math.sqrt(2 / options.seeds)
    print(f"NDCG@10 after {options.epochs} epochs, {options.seeds} seeds; seed noise {noise:.4f}")
    found: dict[str, object] = {"noise": noise, "bound": bound}
    for way, values in by_way.items():
        mean = statistics.fmean(values)
        lead = mean - statistics.fmean(plain)
        verdict = "" if way == "plain loop" else ("worse" if lead < -bound else "no worse")
        print(f"{way:16} {mean:.4f}  {lead:+.4f} (bound {bound:.4f}) {verdict}")
        found[way] = [round(value, 5) for value in values]
    print(json.dumps({"benchmark": "quality", **found}))


if __name__ == "__main__":
    main()
