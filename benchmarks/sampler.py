"""Which settings of Optuna's estimator suit a small budget? Regret on simulated families.

    python benchmarks/sampler.py --families 200

A simulated family has eight parameters: a loss (with one parameter that only sampled losses
have), a depth and six numbers. Its score falls off quadratically around a best configuration drawn
at random, learning rate and width interact, and every score has noise. The first trial is a
configuration a quarter of the range away, as published defaults may be; two trials run at a time.
Regret is the distance to the best score possible; each setting sees the same families.
"""

import argparse
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import optuna
from numpy.typing import NDArray

LOSSES = ("full", "sampled", "pairwise")
NUMBERS = (
    "learning_rate",
    "weight_decay",
    "dropout",
    "hidden_size",
    "embedding_size",
    "batch_size",
)
SETTINGS: dict[str, dict[str, object]] = {
    "joint, 10 random": {"multivariate": True},
    "joint, 6 random": {"multivariate": True, "n_startup_trials": 6},
    "joint, 3 random": {"multivariate": True, "n_startup_trials": 3},
    "grouped, 6 random": {"multivariate": True, "group": True, "n_startup_trials": 6},
    "independent, 6 random": {"multivariate": False, "n_startup_trials": 6},
    "random": {"n_startup_trials": 10**6},
}


@dataclass(frozen=True)
class Family:
    """A response surface."""

    best: NDArray[np.float64]  # (8,)
    weight: NDArray[np.float64]  # (8,)
    gap: NDArray[np.float64]  # (3,) of each loss
    interaction: float
    defaults: dict[str, float | int | str]

    def score(self, trial: optuna.Trial, noise: np.random.Generator) -> float:
        """Of what a trial suggests, with noise."""
        loss = trial.suggest_categorical("loss", LOSSES)
        values = {name: trial.suggest_float(name, 0, 1) for name in NUMBERS}
        values["depth"] = trial.suggest_int("depth", 0, 2) / 2
        if loss != "full":
            values["negatives"] = trial.suggest_float("negatives", 0, 1)
        return self.value(loss, values) + noise.normal(0, 0.01)

    def value(self, loss: str, values: Mapping[str, float]) -> float:
        """Of a configuration; about 0 at best."""
        at = [values[name] for name in (*NUMBERS, "depth")]
        off = np.array([*at, values.get("negatives", self.best[7])]) - self.best
        curve = 3 * float(np.sum(self.weight * off * off)) + float(self.gap[LOSSES.index(loss)])
        return -(curve + self.interaction * float(off[0] * off[3]))


def family(seed: int) -> Family:
    """Draw one."""
    draw = np.random.default_rng(seed)
    best = draw.uniform(0.15, 0.85, 8)
    gap = draw.uniform(0, 0.09, 3)
    gap[draw.integers(3)] = 0
    near = np.clip(best + draw.normal(0, 0.25, 8), 0, 1)
    loss = LOSSES[draw.integers(3)]
    defaults: dict[str, float | int | str] = {"loss": loss, "depth": round(2 * near[6])}
    defaults |= dict(zip(NUMBERS, near[:6].tolist(), strict=True))
    if loss != "full":
        defaults["negatives"] = float(near[7])
    return Family(best, draw.dirichlet(np.full(8, 0.7)), gap, draw.uniform(-0.3, 0.3), defaults)


def regret(settings: dict[str, object], seed: int, trials: int) -> list[float]:
    """Best so far after each trial, as a distance to the best possible."""
    surface, noise = family(seed), np.random.default_rng(1000 + seed)
    sampler = optuna.samplers.TPESampler(seed=seed, **settings)  # type: ignore[arg-type]
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.enqueue_trial(surface.defaults)
    running: list[tuple[optuna.Trial, float]] = []
    found: list[float] = []
    for n in range(trials + 1):
        if n < trials:
            trial = study.ask()
            running.append((trial, surface.score(trial, noise)))
        if n:  # with two at a time, the first ends when the second has begun
            study.tell(*running.pop(0))
            found.append(-study.best_value)
    return found


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Regret of sampler settings at small budgets.")
    parser.add_argument("--families", type=int, default=100)
    parser.add_argument("--trials", type=int, default=24)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    at = [n for n in (12, 24, 48) if n <= arguments.trials]
    base: NDArray[np.float64] | None = None
    print(f"{'':24}" + "".join(f"  regret after {n:2}, against the first" for n in at))
    for name, settings in SETTINGS.items():
        runs = range(arguments.families)
        found = np.array([regret(settings, seed, arguments.trials) for seed in runs])
        base = found if base is None else base
        line = f"{name:24}"
        for n in at:
            gain = found[:, n - 1] - base[:, n - 1]
            error = gain.std() / np.sqrt(len(gain))
            ratio = found[:, n - 1].mean() / base[:, n - 1].mean()
            line += f"  {found[:, n - 1].mean():.4f}  x{ratio:.2f}  {gain.mean():+.4f} ±{error:.4f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
