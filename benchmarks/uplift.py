"""Is a treatment's effect found where there is one, and only there; is confounding noticed?

Simulated logs of three kinds: a treatment by a coin that moves purchases; one that moves nothing;
and one given rather to those who would buy anyway, with no word on how likely. On each log the
families of the task uplift that fit in a second are trained on all before the sealed test and
compared with treating nobody, as `confirm` compares families, together over the three.

    python benchmarks/uplift.py --logs 40
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from scipy.stats import binomtest

from recsweep.config.files import load_experiment
from recsweep.config.values import Configuration
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.evaluation.comparison import compare
from recsweep.tasks.folds import make_fold
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import TEST
from recsweep.tasks.uplift.details import UpliftDetails
from recsweep.training.refit import refit

EXPERIMENT = Path(__file__).parents[1] / "experiments" / "uplift_simulated.yaml"
TREES: Configuration = {
    "learning_rate": 0.05,
    "trees": 40,
    "leaves": 6,
    "min_samples_leaf": 100,
    "l2": 5.0,
    "columns_a_split": 1.0,
}
FAMILIES: Mapping[str, tuple[str, Configuration]] = {
    "logistic regression, two models": (
        "logistic_regression",
        {"meta_learner": "t", "inverse_penalty": 0.01},
    ),
    "logistic regression, class transformation": (
        "logistic_regression",
        {"meta_learner": "class_transformation", "inverse_penalty": 0.01},
    ),
    "trees, treatment as an input": ("gradient_boosting", {"meta_learner": "s", **TREES}),
}
NOBODY = "treat none"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of log."""

    name: str
    dials: Mapping[str, float]


KINDS = (
    Kind("no effect", {"treatment_effect": 0.0}),
    Kind("effect", {}),
    Kind("confounded", {"treatment_effect": 0.0, "treatment_confounding": 1.0}),
)


@dataclass(frozen=True, slots=True)
class Found:
    """What one log showed."""

    better: tuple[str, ...]  # families with a verdict over treating nobody
    warned: bool
    qini: Mapping[str, float]
    best_possible: float


def on_log(kind: Kind, number: int) -> Found:
    """Train and compare on one log."""
    dials = [f"data.simulator.{name}={value}" for name, value in kind.dials.items()]
    experiment = load_experiment(EXPERIMENT, [*dials, f"data.simulator.seed={number}"])
    with tempfile.TemporaryDirectory() as root:
        data = unseal(prepare(experiment, Path(root)))
        fold = make_fold(TEST, data.development, data.cuts.test, data, experiment)
        task, cpu = TASKS["uplift"], torch.device("cpu")
        best = task.best_possible(fold, data, experiment)
    scorer = task.scorer(fold.validation, fold.n_items, cpu)
    train = partial(
        refit,
        training=fold.training,
        epochs=1,
        seed=number,
        device=cpu,
        precision="fp32",
        task=task,
    )
    models = {name: train(*family) for name, family in FAMILIES.items()}
    models[NOBODY] = train("treat_none", {})
    asked = {name: scorer.outcomes(model) for name, model in models.items()}
    values = {
        name: task.summarise(outcomes, fold.validation, experiment.metric)[1][None]
        for name, outcomes in asked.items()
    }
    pairs = compare(
        values,
        smallest_effect=experiment.confirm.smallest_effect,
        resamples=2000,
        seed=number,
        contrasts=[(name, NOBODY) for name in FAMILIES],
    )
    details = task.details(asked[NOBODY], fold.validation, experiment.metric)
    assert isinstance(details, UpliftDetails)
    assert best is not None
    return Found(
        better=tuple(p.a for p in pairs if not p.exploratory and p.outcome == "better"),
        warned=details.depends_on_features,
        qini={name: float(values[name].mean()) for name in FAMILIES},
        best_possible=best,
    )


def main() -> None:
    """Print a line a kind, then all as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=int, default=40)
    logs = parser.parse_args().logs
    torch.set_num_threads(1)
    everything = {}
    for kind in KINDS:
        began = time.process_time()
        found = [on_log(kind, 1000 + n) for n in range(logs)]
        shown = sum(bool(each.better) for each in found)
        warned = sum(each.warned for each in found)
        low, high = binomtest(shown, logs).proportion_ci(0.95)
        best = np.mean([each.best_possible for each in found])
        reached = {
            name: round(float(np.mean([each.qini[name] for each in found])), 4) for name in FAMILIES
        }
        print(
            f"{kind.name}: a family better than nobody in {shown} of {logs} logs "
            f"[{low:.0%}, {high:.0%}]; warned in {warned}; Qini, mean over logs: {reached}, "
            f"best possible {best:.4f}; {(time.process_time() - began) / logs:.1f} s of CPU a log",
            flush=True,
        )
        everything[kind.name] = [asdict(each) for each in found]
    print(json.dumps(everything))


if __name__ == "__main__":
    main()
