"""Trials an hour on one GPU with 1, 2, 4 and 8 trials sharing it.

    python benchmarks/gpu.py [--shares 1 2 4 8] [--precision fp32 bf16] [--epochs 4]

Sweeps of GRU trials on MovieLens 100k (hidden 128, embedding 64, exact full softmax), each trial
with a fraction of the GPU and of the CPU cores. Every place is filled four times;
the workers' start is inside, Ray's is not. The card's name is printed beside the figures. The last
line is JSON. No figure of this script has been published yet.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import torch
import yaml

from plain_loop import CONFIG
from recsweep.config.files import load_experiment
from recsweep.data.prepare import prepare
from recsweep.models.registry import families_of
from recsweep.search.run import run_search
from recsweep.spaces.files import load_space
from recsweep.tasks.folds import development_folds

ROOT = Path(__file__).parents[1]


def trials_an_hour(share: int, precision: str, epochs: int, gpu: bool) -> dict[str, float]:
    """Run 4 trials a place, `share` places."""
    trials = 4 * share
    chosen = [
        "features=[]",
        "folds.count=1",
        "families={gru: search_spaces/gru.yaml}",
        f"budget={{trials: {trials}, epochs: {epochs}}}",
        f"stopping={{grace_epochs: 1, full_trials: {trials}}}",
        f"resources.cpu={max(0.1, min(1.0, (os.cpu_count() or 1) / share)):g}",
        f"resources.gpu={1 / share if gpu else 0:g}",
        f"resources.workers={share}",
        f"resources.precision={precision}",
    ]
    experiment = load_experiment(ROOT / "experiments/default.yaml", chosen)
    folds = development_folds(prepare(experiment, ROOT), experiment)
    with tempfile.TemporaryDirectory() as temporary:
        space = Path(temporary) / "gru.yaml"
        fixed = {key: value for key, value in CONFIG.items() if key != "learning_rate"}
        rate = {"float": [3e-4, 3e-3], "log": True, "role": "nuisance", "why": "what differs"}
        keys = {"family": "gru", "fixed": fixed, "defaults": {"learning_rate": 1e-3}}
        space.write_text(yaml.safe_dump({**keys, "parameters": {"learning_rate": rate}}))
        session = run_search(
            experiment,
            {"gru": load_space(space, families_of("next_item"))},
            folds,
            Path(temporary),
            fingerprint="benchmark",
        )
    assert session is not None
    return {
        "trials_an_hour": 3600 * session.trials / session.wall_seconds,
        "efficiency": session.efficiency,
    }


def main() -> None:
    """Print a row for each precision and share."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--shares", nargs="*", type=int, default=[1, 2, 4, 8])
    parser.add_argument("--precision", nargs="*", default=["fp32", "bf16"])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--without-gpu", action="store_true", help="try the script on the CPU")
    options = parser.parse_args()
    if not torch.cuda.is_available() and not options.without_gpu:
        sys.exit("no GPU here; --without-gpu tries the script on the CPU")
    card = "CPU" if options.without_gpu else torch.cuda.get_device_name(0)
    found: dict[str, dict[str, float]] = {}
    print(f"{card}, {os.cpu_count()} CPU cores, torch {torch.__version__}")
    for precision in options.precision:
        first = None
        for share in options.shares:
            row = trials_an_hour(share, precision, options.epochs, not options.without_gpu)
            found[f"{precision}, {share} at once"] = row
            first = first or row["trials_an_hour"]
            print(
                f"{precision} {share:2} at once {row['trials_an_hour']:8,.0f} trials an hour "
                f"{row['trials_an_hour'] / first:5.2f}x",
                flush=True,
            )
    print(json.dumps({"benchmark": "gpu", "card": card, "found": found}))


if __name__ == "__main__":
    main()
