"""What tracking costs: the same sweep with W&B's run files and without, in pairs.

    python benchmarks/tracking.py [--rounds 5] [--epochs 3]

Eight GRU trials on one split of MovieLens 100k, two one-thread workers on two cores, so that the
driver's thread and W&B's service compete with training as they do in a study. Nothing is stopped
and only the learning rate varies: every sweep has the same work. Each round runs both, in turns
first, and the difference is taken within the round, after one sweep that warms the machine up.
Times include the wait for W&B at the sweep's end; Ray's start is apart. The limits are 3% of the
sweep and .15 s a trial. The last line is JSON.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from plain_loop import one_split, write_space
from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment
from recsweep.data.prepare import prepare
from recsweep.data.types import Fold
from recsweep.models.registry import families_of
from recsweep.search.run import run_search
from recsweep.spaces.files import load_space
from recsweep.tasks.folds import development_folds
from recsweep.tracking.events import Listener
from recsweep.tracking.live import LiveFile
from recsweep.tracking.wandb import WandbListener

ROOT = Path(__file__).parents[1]
TRIALS, WORKERS = 8, 2
SHARE_LIMIT, TRIAL_LIMIT = 0.03, 0.15


def sweep(folds: Sequence[Fold], ours: Experiment, *, tracked: bool) -> tuple[float, int]:
    """Seconds of a sweep from nothing, Ray's start apart, and how many runs W&B wrote."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        listeners: list[Listener] = []
        if tracked:
            listeners = [LiveFile(folder), WandbListener(folder, ours, "offline")]
        began = time.perf_counter()
        session = run_search(
            ours,
            {"gru": load_space(write_space(folder), families_of("next_item"))},
            folds,
            folder,
            fingerprint="benchmark",
            listeners=listeners,
        )
        seconds = time.perf_counter() - began
        runs = len(list(folder.glob("wandb/offline-run-*/*.wandb")))
    assert session is not None
    return seconds - session.start_seconds, runs


def main() -> None:
    """Print the medians of the paired differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    options = parser.parse_args()
    chosen = one_split(TRIALS, options.epochs, WORKERS)
    ours = load_experiment(ROOT / "experiments/default.yaml", chosen)
    folds = development_folds(prepare(ours, ROOT), ours)
    sweep(folds, ours, tracked=True)
    without: list[float] = []
    differences: list[float] = []
    for number in range(options.rounds):
        order = (True, False) if number % 2 == 0 else (False, True)
        found = {tracked: sweep(folds, ours, tracked=tracked) for tracked in order}
        assert found[True][1] == TRIALS + 1
        without.append(found[False][0])
        differences.append(found[True][0] - found[False][0])
        print(
            f"round {number + 1}: {found[True][0]:.2f} s with tracking, "
            f"{found[False][0]:.2f} s without, {differences[-1]:+.2f} s",
            flush=True,
        )
    cost = statistics.median(differences)
    share, trial = cost / statistics.median(without), cost / TRIALS
    print(f"of the sweep {share:+.1%} (limit {SHARE_LIMIT:.0%})")
    print(f"a trial {trial:+.3f} s (limit {TRIAL_LIMIT} s)")
    result = {
        "benchmark": "tracking",
        "seconds_without": round(statistics.median(without), 2),
        "seconds_a_trial": round(trial, 4),
        "share": round(share, 4),
        "differences": [round(d, 2) for d in differences],
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
