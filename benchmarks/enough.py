"""When `stopping.study` ends a search: trials saved, and how often a later one would have mattered.

    python benchmarks/enough.py [--families 400] [--shuffles 200]

Simulated studies are of four families of `sampler.py` each, searched by Optuna's estimator to the
end of a budget. Recorded ones are the curves of `early_stopping.py`, in their own order and in
shuffled ones (of which the sampler's learning is gone). The rule is asked after each round of
trials, as in a search. A stop is false if the best score of any family rises by more than the
smallest gain that matters between it and the budget's end; then a later trial would have changed
the answer. The last line is JSON.
"""

import argparse
import json
import warnings
from collections import defaultdict

import numpy as np
import optuna
from numpy.typing import NDArray

from early_stopping import read
from recsweep.evaluation.enough import LIMIT, chance_of_gain
from sampler import family

LOGS = ("mars", "ml-100k", "movietweetings")
FAMILIES = 4  # of a simulated study
Scores = NDArray[np.float64]


def simulated(families: int, trials: int) -> Scores:
    """(n_families, n_trials)."""
    found = []
    for seed in range(families):
        surface, noise = family(seed), np.random.default_rng(seed)
        sampler = optuna.samplers.TPESampler(multivariate=True, n_startup_trials=10, seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.enqueue_trial(surface.defaults)
        study.optimize(lambda trial: surface.score(trial, noise), trials)  # noqa: B023
        found.append([trial.value for trial in study.trials])
    return np.array(found, np.float64)


def recorded(log: str) -> Scores:
    """(n_families, n_trials) each trial's best epoch, in the order of the search."""
    by_family = defaultdict(list)
    for curve in sorted(read(log), key=lambda curve: curve.number):
        by_family[curve.family].append(curve.best)
    return np.array(list(by_family.values()))


def replayed(scores: Scores, below: float) -> tuple[float, bool, float]:
    """One study: trials saved, as a share; whether the stop was false; what foresight had saved."""
    trials = scores.shape[1]
    last = scores.max(axis=1)

    def enough(n: int) -> bool:
        return all(chance_of_gain(of[:n].tolist(), trials - n, below) <= LIMIT for of in scores)

    def final(n: int) -> bool:
        return bool((last - scores[:, :n].max(axis=1) <= below).all())

    end = next((n for n in range(1, trials) if enough(n)), trials)
    oracle = next(n for n in range(1, trials + 1) if final(n))
    return 1 - end / trials, not final(end), 1 - oracle / trials


def told(name: str, studies: list[Scores], below: float) -> dict[str, object]:
    """Print and return the means over studies."""
    found = np.array([replayed(scores, below) for scores in studies])
    saved, false, oracle = found.mean(axis=0)
    print(
        f"{name}, smallest gain {below:g}: {saved:.0%} of trials saved, false stops {false:.1%} "
        f"of {len(studies)}; foresight would save {oracle:.0%}",
        flush=True,
    )
    return {
        "saved": round(float(saved), 3), "false": round(float(false), 4),
        "foresight": round(float(oracle), 3), "studies": len(studies),
    }  # fmt: skip


def report(scores: Scores, shuffles: int) -> None:
    """All of it, from simulated families' scores."""
    result = {}
    for trials in (24, 48):
        studies = [s[:, :trials] for s in np.split(scores, len(scores) // FAMILIES)]
        for below in (0.02, 0.05, 0.1):
            name = f"simulated, {trials} trials"
            result[f"{name}, {below}"] = told(name, studies, below)
    random = np.random.default_rng(0)
    for log in LOGS:
        whole = recorded(log)
        for below in (0.005, 0.01):
            result[f"{log}, {below}"] = told(log, [whole], below)
            orders = [random.permuted(whole, axis=1) for _ in range(shuffles)]
            name = f"{log}, shuffled"
            result[f"{name}, {below}"] = told(name, orders, below)
    print(json.dumps(result))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="When is a search over?")
    parser.add_argument("--families", type=int, default=400)
    parser.add_argument("--shuffles", type=int, default=200)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    report(simulated(arguments.families, 48), arguments.shuffles)


if __name__ == "__main__":
    main()
