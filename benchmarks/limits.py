"""Does a search with limits find as good a configuration as one that is shown the inside alone?

    python benchmarks/limits.py --families 200

Families are those of `sampler.py`. A configuration's size is its hidden and embedding size, its
depth and its batch size together, each weighted by chance; a limit runs through the middle of the
space, so that about half of its configurations are outside, and often the best of all among them.
Three searches get the same number of trained trials: one with refusals that the sampler is told of
as the ledger tells it; one with refusals that it isn't told of; and one without limits, of which
the best configuration inside counts. Regret is the distance to the best score inside.
"""

import argparse
import json
import math
import warnings
from collections.abc import Callable

import numpy as np
import optuna
from numpy.typing import NDArray

from recsweep.search.turns import REFUSALS
from sampler import LOSSES, NUMBERS, Family, family

SETTINGS: dict[str, object] = {"multivariate": True, "n_startup_trials": 6}  # 12 trials
SIZED = ("hidden_size", "embedding_size", "batch_size")


def size(params: dict[str, object], weight: NDArray[np.float64]) -> float:
    """Of a configuration; 1 is in the middle of a space, on average."""
    values = np.array(
        [*(float(str(params[name])) for name in SIZED), float(str(params["depth"])) / 2]
    )
    return float(np.exp((values - 0.5) @ weight))


def search(seed: int, trials: int, told: bool | None) -> tuple[float, int]:
    """The best score without noise among what was trained inside, and how many were refused.

    Args:
        seed: of the family and the sampler.
        trials: that are trained.
        told: is the sampler told what was refused? None: nothing is.
    """
    surface, noise = family(seed), np.random.default_rng(1000 + seed)
    weight = np.random.default_rng(2000 + seed).dirichlet(np.ones(4)) * 4
    sampler = optuna.samplers.TPESampler(seed=seed, **SETTINGS)  # type: ignore[arg-type]
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.enqueue_trial(surface.defaults)
    best, trained, refused = -math.inf, 0, 0
    while trained < trials and refused < REFUSALS * trials:
        trial = study.ask()
        noisy = surface.score(trial, noise)
        measured = math.log(size(trial.params, weight))
        if measured <= 0:
            best = max(best, true_score(surface, trial.params))
        if told is not None and measured > 0:
            refused += 1
            if told:
                trial.set_constraint("parameters", measured)
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            continue
        trained += 1
        if told:
            trial.set_constraint("parameters", measured)
        study.tell(trial, noisy)
    return best, refused


def true_score(surface: Family, params: dict[str, object]) -> float:
    """Without noise."""
    values = {name: float(str(params[name])) for name in params if name not in ("loss", "depth")}
    values["depth"] = float(str(params["depth"])) / 2
    return surface.value(str(params["loss"]), values)


def best_inside(seed: int) -> float:
    """Of many configurations drawn at random, and those near the best of them."""
    surface, draw = family(seed), np.random.default_rng(seed)
    weight = np.random.default_rng(2000 + seed).dirichlet(np.ones(4)) * 4
    best, at = -math.inf, np.full(7, 0.5)
    for spread in (None, 0.2, 0.1, 0.05, 0.02, 0.01):
        for _ in range(400):
            point = draw.random(7) if spread is None else np.clip(draw.normal(at, spread), 0, 1)
            depth = round(2 * point[6])
            params = dict(zip(NUMBERS, point[:6].tolist(), strict=True)) | {"depth": depth}
            if size(params, weight) > 1:
                continue
            for loss in LOSSES:
                if (value := true_score(surface, {**params, "loss": loss})) > best:
                    best, at = value, point.copy()
    return best


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Regret under limits at equal trained trials.")
    parser.add_argument("--families", type=int, default=200)
    parser.add_argument("--trials", type=int, default=12)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    ways: dict[str, Callable[[int], tuple[float, int]]] = {
        "without limits": lambda seed: search(seed, arguments.trials, None),
        "refused and told": lambda seed: search(seed, arguments.trials, True),
        "refused, not told": lambda seed: search(seed, arguments.trials, False),
    }
    bests = np.array([best_inside(seed) for seed in range(arguments.families)])
    base: NDArray[np.float64] | None = None
    figures = {}
    print(f"{'':20}  regret   against the first   refused")
    for name, way in ways.items():
        found, refused = np.array([way(seed) for seed in range(arguments.families)]).T
        lacks = np.where(np.isfinite(found), bests - found, 1.0)
        base = lacks if base is None else base
        gain = lacks - base
        error = gain.std(ddof=1) / math.sqrt(len(gain))
        print(
            f"{name:20}  {lacks.mean():.4f}   {gain.mean():+.4f} ± {error:.4f}    "
            f"{refused.mean():.1f}",
            flush=True,
        )
        figures[name] = {"regret": round(float(lacks.mean()), 4), "refused": refused.mean()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
