"""Does a search for the front of score against parameters find a better one than random search?

    python benchmarks/goals.py [--families 100] [--trials 24]

Families are those of `simulated_search.py`, searched by the product's own ledger and policy, two
trials at a time: with `search.goals` and early stopping, and at random with every trial to its end.
A front is judged without noise by its hypervolume (Zitzler & Thiele 1999): the area of what it
beats among scores and logarithms of parameters, up to a reference point, the median in both of
1,000 random configurations. The last line is JSON.
"""

import argparse
import json
import math
import warnings

import numpy as np
import optuna
from numpy.typing import NDArray
from sweeps import study_of

from recsweep.config.values import Configuration
from recsweep.evaluation.front import front
from sampler import LOSSES, NUMBERS
from simulated_search import EPOCHS, Surface, searched

Point = tuple[float, float]
"""Logarithm of its parameters, and score without noise."""


def point(surface: Surface, config: Configuration) -> Point:
    """Of a configuration."""
    return math.log(surface.parameters(config)), surface.end(config)


def reference(surface: Surface, seed: int) -> Point:
    """Median of random configurations."""
    draw = np.random.default_rng(seed)
    found = [
        point(
            surface,
            {
                "loss": LOSSES[draw.integers(3)],
                "depth": int(draw.integers(3)),
                **dict(zip(NUMBERS, draw.random(6).tolist(), strict=True)),
            },
        )
        for _ in range(1000)
    ]
    cost, score = np.median(np.array(found), axis=0)
    return float(cost), float(score)


def hypervolume(points: list[Point], worst: Point) -> float:
    """Of those that are better than the worst in both."""
    inside = [(cost, score) for cost, score in points if cost < worst[0] and score > worst[1]]
    costs, scores = [cost for cost, _ in inside], [score for _, score in inside]
    at = front(costs, scores)
    ends = [costs[n] for n in at[1:]] + [worst[0]] * bool(at)
    return sum((end - costs[n]) * (scores[n] - worst[1]) for n, end in zip(at, ends, strict=True))


def found(seed: int, trials: int, ways: dict[str, dict[str, object]]) -> list[float]:
    """Hypervolume of each way's front, complete trials alone."""
    volumes = []
    for keys in ways.values():
        surface = Surface(seed)
        experiment = study_of("f", trials=trials, epochs=EPOCHS, seed=seed, **keys)
        _, complete = searched(experiment, {"f": surface}, workers=2)
        points = [point(surface, trial.user_attrs["config"]) for trial in complete["f"]]
        volumes.append(hypervolume(points, reference(surface, seed)))
    return volumes


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Hypervolume of fronts that were searched.")
    parser.add_argument("--families", type=int, default=100)
    parser.add_argument("--trials", type=int, default=24)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    stopping = {"grace_epochs": 2, "reduction": 3, "full_trials": 4}
    goals = ["score", "parameters"]
    ways: dict[str, dict[str, object]] = {
        "random, nothing stopped": {
            "search": {"sampler": "random"},
            "stopping": {"full_trials": arguments.trials},
        },
        "tpe, the score alone": {"stopping": stopping},
        "tpe, both goals": {"stopping": stopping, "search": {"goals": goals}},
    }
    volumes: NDArray[np.float64] = np.array(
        [found(seed, arguments.trials, ways) for seed in range(arguments.families)]
    )
    figures = {}
    for n, name in enumerate(ways):
        ratio = volumes[:, n] / volumes[:, 0]
        figures[name] = {
            "at least random's": float((ratio >= 1).mean()),
            "median ratio": round(float(np.median(ratio)), 3),
        }
        print(f"{name:24} {figures[name]}", flush=True)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
