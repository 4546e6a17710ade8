"""Which sampler, and which settings of Optuna's estimator, suit a small budget? Regret.

    python benchmarks/sampler.py --families 200
    python benchmarks/sampler.py --families 400 --trials 12 --samplers [--recorded]

A simulated family has eight parameters: a loss (with one parameter that only sampled losses
have), a depth and six numbers. Its score falls off quadratically around a best configuration drawn
at random, learning rate and width interact, and every score has noise. The first trial is a
configuration a quarter of the range away, as published defaults may be; two trials run at a time.
Regret is the distance to the best score possible; each setting sees the same families.

With `--samplers`, the product's choices of `search.sampler` stand in for the settings. `--recorded`
takes real families in place of simulated ones: on each log a random forest's scores, which has seen
the trials that `record_trials.py` has recorded there; regret is to the best of 2,000 random
configurations, in shares of the range of recorded scores.
"""

import argparse
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray

from record_trials import RECORDED
from recorded import agreement, read, surrogate
from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.models.protocol import FamilyConfig
from recsweep.models.registry import families_of
from recsweep.search.sampler import trial_sampler
from recsweep.search.seen import seeing
from recsweep.spaces.bundled import BUNDLED
from recsweep.spaces.files import load_space
from recsweep.spaces.parameter import Parameter
from recsweep.spaces.space import Space

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


SAMPLERS = ("tpe", "gp", "cma_es", "random", "sobol")
"""A grid of 8 parameters with 3 levels is 3,000 to 20,000 configurations: as good as random."""


def simulated_space(defaults: Mapping[str, float | int | str]) -> Space:
    """The space of a simulated family."""
    ranges: dict[str, dict[str, Any]] = {name: {"float": (0, 1)} for name in NUMBERS}
    keys: dict[str, dict[str, Any]] = {
        "loss": {"choice": LOSSES},
        "depth": {"int": (0, 2)},
        **ranges,
    }
    keys["negatives"] = {"float": (0, 1), "when": {"loss": LOSSES[1:]}}
    parameters = {
        name: Parameter(name=name, **key, role="nuisance", why="moves the score")
        for name, key in keys.items()
    }
    return Space(family="surface", defaults=defaults, parameters=parameters, config=FamilyConfig)


def by_sampler(
    sampler: str, space: Space, score: Callable[[Configuration], float], seed: int, trials: int
) -> list[float]:
    """Best so far after each trial; two run at a time, each proposal has a seed of its own."""
    asked = Experiment.model_validate(
        {
            "study": "s",
            "data": {"name": "d", "events": [{"path": "p", "user": "u", "item": "i", "time": "t"}]},
            "families": ["gru"],
            "budget": {"trials": trials},
            "search": {"sampler": sampler},
            "seed": seed,
        }
    )
    study = optuna.create_study(direction="maximize")
    study.enqueue_trial(dict(space.defaults), user_attrs={"number": 0})
    running: list[tuple[optuna.Trial, float]] = []
    found: list[float] = []
    for n in range(trials + 1):
        if n < trials:
            study.sampler = seeing(trial_sampler(asked, "f", space, n), space, (), False)
            trial = study.ask()
            value = score(space.suggest(trial))
            trial.set_user_attr("number", n)
            running.append((trial, value))
        if n:
            study.tell(*running.pop(0))
            found.append(study.best_value)
    return found


def simulated(sampler: str, seed: int, trials: int) -> list[float]:
    """Regret on a simulated family."""
    surface, noise = family(seed), np.random.default_rng(1000 + seed)

    def score(config: Configuration) -> float:
        numbers = {n: float(v) for n, v in config.items() if n not in ("loss", "depth")}
        numbers["depth"] = float(config["depth"]) / 2
        return surface.value(str(config["loss"]), numbers) + noise.normal(0, 0.01)

    found = by_sampler(sampler, simulated_space(surface.defaults), score, seed, trials)
    return [-value for value in found]


def on_recorded(trials: int, repeats: int) -> None:
    """A line for each recorded family and sampler."""
    for path in sorted(RECORDED.glob("*.jsonl")):
        for name in dict.fromkeys(json.loads(t)["family"] for t in path.read_text().splitlines()):
            space = load_space(BUNDLED / f"{name}.yaml", families_of("next_item"))
            count, rank = agreement(path, name, space)
            if count < 50:
                continue
            score, values = surrogate(path, name, space), [v for _, v in read(path, name)]
            study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=7))
            most = max(score(space.suggest(study.ask())) for _ in range(2000))
            print(f"{path.stem} {name}: {count} trials, rank correlation {rank:.2f}", flush=True)
            for sampler in SAMPLERS:
                runs = [by_sampler(sampler, space, score, n, trials) for n in range(repeats)]
                lack = (most - np.array(runs)[:, -1]) / (max(values) - min(values))
                error = lack.std() / np.sqrt(repeats)
                print(f"  {sampler:8} {lack.mean():.4f} ±{error:.4f}", flush=True)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Regret of sampler settings at small budgets.")
    parser.add_argument("--families", type=int, default=100)
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--samplers", action="store_true")
    parser.add_argument("--recorded", action="store_true")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    if arguments.recorded:
        on_recorded(arguments.trials, arguments.families)
        return
    at = [n for n in (12, 24, 48) if n <= arguments.trials]
    base: NDArray[np.float64] | None = None
    print(f"{'':24}" + "".join(f"  regret after {n:2}, against the first" for n in at))
    asked: Mapping[str, Callable[[int, int], list[float]]] = {
        name: partial(regret, settings) for name, settings in SETTINGS.items()
    }
    if arguments.samplers:
        asked = {name: partial(simulated, name) for name in SAMPLERS}
    for name, run in asked.items():
        runs = range(arguments.families)
        found = np.array([run(seed, arguments.trials) for seed in runs])
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
