"""What a trial costs beside its training: sweeps of trials that do no work.

    python benchmarks/overhead.py [--rounds 3]

The whole path of a sweep: Ray, Optuna's journal, learners' scores on disk, W&B's run files. Trials
of four epochs return a made-up score at once. Two lengths of study are timed; the difference tells
the cost of one more trial, the rest is what a study costs once (worker processes that import torch,
and their end). Ray's own start is apart. The limit is .3 s a trial. The last line is JSON.
"""

import argparse
import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsweep.config.schema import Experiment
from recsweep.data.types import Fold, Sequences, Targets, Training
from recsweep.models.registry import families_of
from recsweep.records.study import SweepSession
from recsweep.search.run import run_search
from recsweep.spaces.files import load_space
from recsweep.tracking.wandb import WandbListener
from recsweep.training.epoch import EpochReport

LIMIT = 0.3
SHORT, LONG = 24, 72
WORKERS, EPOCHS, LEARNERS = 2, 4, 1000
SPACE = """
family: item_knn
fixed: {neighbours: 10, weighting: cosine}
defaults: {recency: 1.0}
parameters:
  recency: {float: [0.5, 1.0], role: nuisance, why: something to propose}
"""


class NoWork:
    """Stands in for `Trial`; its score follows from its configuration."""

    def __init__(self, family: str, config: Mapping[str, Any], *rest: Any, **more: Any) -> None:
        self.epochs, self.epoch, self._score = EPOCHS, 0, 0.1 * float(config["recency"])

    def advance(self) -> EpochReport:
        """An epoch of nothing."""
        self.epoch += 1
        value = self._score + 0.001 * self.epoch
        return EpochReport(
            epoch=self.epoch,
            value=value,
            metrics={f"{name}@10": (value,) for name in ("recall", "ndcg", "mrr")},
            losses=(1.0,),
            fit_seconds=0.0,
            evaluate_seconds=0.0,
            user_values=(np.full(LEARNERS, value),),
        )


def study(trials: int) -> Experiment:
    """Nothing is ever stopped, so that every trial costs the same."""
    return Experiment.model_validate(
        {
            "study": "overhead",
            "data": {
                "name": "none",
                "events": [{"path": "x", "user": "u", "item": "i", "time": "t"}],
            },
            "families": {"made_up": "space.yaml"},
            "budget": {"trials": trials, "epochs": EPOCHS},
            "stopping": {"full_trials": trials},
            "resources": {"workers": WORKERS},
        }
    )


def empty_fold() -> Fold:
    """Learners with one target each, and nothing to train on."""
    learners = np.arange(LEARNERS, dtype=np.int32)
    histories = Sequences(
        user=learners,
        offsets=np.arange(LEARNERS + 1, dtype=np.int64),
        item=np.zeros(LEARNERS, np.int32),
        time=np.zeros(LEARNERS, np.int64),
        kind=np.zeros(LEARNERS, np.int8),
        features=np.zeros((LEARNERS, 0), np.float32),
    )
    ones = np.ones(LEARNERS, np.int32)
    targets = Targets(histories, learners, ones, ones, ones.astype(np.int64), True, {})
    training = Training(histories, 2, np.zeros((2, 0), np.float32))
    return Fold("fold0", 0, np.arange(2, dtype=np.int32), training, targets)


def sweep(trials: int, make_trial: Any, folds: Sequence[Fold]) -> SweepSession:
    """One study from nothing."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        space = folder / "space.yaml"
        space.write_text(SPACE)
        session = run_search(
            study(trials),
            {"made_up": load_space(space, families_of("next_item"))},
            folds,
            folder,
            fingerprint="none",
            listeners=[WandbListener(folder, study(trials), "offline")],
            make_trial=make_trial,
        )
    assert session is not None
    return session


def main() -> None:
    """Print seconds a trial and the ratio to the limit, medians over rounds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    marginal, whole, once, ray = [], [], [], []
    for number in range(options.rounds):
        short, long = (sweep(n, NoWork, [empty_fold()]) for n in (SHORT, LONG))
        each = (long.wall_seconds - short.wall_seconds) / (LONG - SHORT)
        marginal.append(each)
        whole.append(short.wall_seconds / SHORT)
        once.append(short.wall_seconds - SHORT * each)
        ray.append(short.start_seconds)
        print(
            f"round {number + 1}: {SHORT} trials {short.wall_seconds:.1f} s, "
            f"{LONG} trials {long.wall_seconds:.1f} s",
            flush=True,
        )
    found = {
        "seconds_a_trial": statistics.median(marginal),
        f"seconds_a_trial_in_a_study_of_{SHORT}": statistics.median(whole),
        "seconds_once": statistics.median(once),
        "ray_start_seconds": statistics.median(ray),
    }
    for name, value in found.items():
        print(f"{name.replace('_', ' '):40} {value:6.3f}")
    print(f"one more trial: {found['seconds_a_trial'] / LIMIT:.2f} of the limit of {LIMIT} s")
    print(json.dumps({"benchmark": "overhead", "workers": WORKERS, **found}))


if __name__ == "__main__":
    main()
