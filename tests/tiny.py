"""A study that was searched by hand: three families on a log of 40 learners, no Ray."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from searched import search_by_hand

from recsweep.config.schema import Experiment
from recsweep.config.values import Value

CONFIGS: Mapping[str, Mapping[str, Value]] = {
    "popularity": {},
    "markov": {},
    "matrix_factorization": {
        "loss": "cross_entropy",
        "factors": 8,
        "history_exponent": 0.5,
        "dropout": 0.1,
        "learning_rate": 0.02,
        "weight_decay": 0.0001,
        "batch_size": 8,
        "window": 10,
    },
}


@dataclass(frozen=True)
class World:
    """A project's folder."""

    root: Path

    @property
    def study(self) -> Path:
        return self.root / "results" / "tiny"

    @property
    def log(self) -> Path:
        return self.root / "log.csv"

    def best(self, family: str) -> Path:
        return self.study / "best" / f"{family}.yaml"


def build(world: World) -> None:
    """Write a log, prepare it, run a trial of each family, and select."""
    write_log(world.log)
    search_by_hand(world.root, tiny_experiment(), CONFIGS, 2)


def write_log(path: Path) -> None:
    """40 learners walk through 15 courses in rings, some of them beginning late."""
    random = np.random.default_rng(0)
    rows = []
    for user in range(40):
        start, item = int(random.integers(0, 1000)), int(random.integers(0, 15))
        for step in range(12):
            rows.append((f"u{user}", f"c{item}", 1_600_000_000 + 7 * (start + 15 * step) + user))
            item = (item + (1 if random.random() < 0.7 else int(random.integers(0, 15)))) % 15
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(path)
    teams = [(f"u{user}", "blue" if user < 30 else "red") for user in range(40)]
    table = pl.DataFrame(teams, schema=["user", "team"], orient="row")
    table.write_csv(path.with_name("learners.csv"))


def tiny_experiment() -> Experiment:
    """Its log lies where TINY_LOG says."""
    event = {"path": "${TINY_LOG}/log.csv", "user": "user", "item": "item", "time": "time"}
    users = {"path": "${TINY_LOG}/learners.csv", "key": "user", "categorical": ["team"]}
    return Experiment.model_validate(
        {
            "study": "tiny",
            "data": {"name": "tiny", "events": [event], "users": users},
            "features": [],
            "folds": {"count": 2, "validation": 0.2, "test": 0.2},
            "targets": {"seen": "keep"},
            "metric": {"report_k": [5, 10]},
            "families": {name: f"search_spaces/{name}.yaml" for name in CONFIGS},
            "budget": {"trials": 1, "epochs": 2},
            "confirm": {"seeds": 2, "resamples": 1000, "groups": ["team"], "smallest_group": 2},
        }
    )
