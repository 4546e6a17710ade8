"""What is the moving average of the weights worth? Each family with and without, default study.

    python benchmarks/weight_average.py [--families gru lstm ...] [--trial -1] [--epochs 16]
                                        [--patience 2] [--seed 0]

One of each space's first trials, the last if nothing is said, is trained on the default study's
three folds in bfloat16: as the space has it, at twice the learning rate, without the average, and
without it at half the rate, which suits a noisier network. The best epoch's mean NDCG@10, which
epoch, and how far single epochs stray from the line through their neighbours (standard deviation).
The last line is JSON.
"""

import argparse
import json
import os
import statistics
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import torch

from recsweep.config.files import load_experiment
from recsweep.data.prepare import prepare
from recsweep.models.registry import families, families_of
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.tasks.folds import development_folds
from recsweep.training.trial import Trial

ROOT = Path(__file__).parents[1]


def noise(curve: list[float]) -> float:
    """Of each epoch against the mean of the ones before and after; a white noise's deviation."""
    off = [b - (a + c) / 2 for a, b, c in zip(curve, curve[1:], curve[2:], strict=False)]
    return statistics.pstdev(off) / 1.5**0.5 if off else 0.0


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    names = ["gru", "lstm", "wide_deep", "matrix_factorization"]
    parser.add_argument("--families", nargs="+", default=names)
    parser.add_argument("--trial", type=int, default=-1)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--patience", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    experiment = load_experiment(
        ROOT / "experiments/default.yaml", ["resources.precision=bf16", "resources.gpu=0"]
    )
    folds = development_folds(prepare(experiment, ROOT), experiment)
    found: dict[str, dict[str, float]] = {}
    for family in options.families:
        path = own_space(families()[family], "next_item")
        assert path is not None
        space = load_space(path, families_of("next_item"))
        config = space.whole(list(space.first().values())[options.trial])
        rate = config["learning_rate"]
        assert isinstance(rate, float)
        arms = {
            "averaged": {},
            "averaged, twice the rate": {"learning_rate": 2 * rate},
            "not": {"weight_ema_epochs": 0.0},
            "not, half the rate": {"weight_ema_epochs": 0.0, "learning_rate": rate / 2},
        }
        for arm, changes in arms.items():
            trial = Trial(
                family, {**config, **changes}, folds, experiment,
                epochs=options.epochs, seed=options.seed, device=torch.device("cpu"),
            )  # fmt: skip
            curve: list[float] = []
            for report in trial.run():
                curve.append(report.value)
                if len(curve) - 1 - curve.index(max(curve)) >= options.patience:
                    break
            epoch = curve.index(max(curve)) + 1
            row = {"ndcg@10": max(curve), "epoch": epoch, "noise": noise(curve[2:])}
            found[f"{family} {arm}"] = row
            print(
                f"{family:22} {arm:24} {max(curve):.4f}  epoch {epoch:2} of {len(curve):2}  "
                f"noise {row['noise']:.4f}",
                flush=True,
            )
    print(json.dumps({"benchmark": "weight_average", "found": found}))


if __name__ == "__main__":
    main()
