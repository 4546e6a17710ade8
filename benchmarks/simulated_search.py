"""A search on simulated families by the product's own ledger and policies, on a made-up clock.

A family is a response surface of `sampler.py`; its curves rise towards the surface's value, slower
where the learning rate is low, and every report has noise. How long an epoch takes depends on
hidden size and batch size. Nothing sleeps: workers are events on a heap.
"""

import heapq
import sys
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import optuna
from optuna.trial import FrozenTrial

from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.models.family import Build
from recsweep.models.protocol import FamilyConfig
from recsweep.search.policy import policy_of
from recsweep.spaces.files import load_space
from sampler import LOSSES, NUMBERS, family

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sweeps import build, folds_of, ledger_of, report_of, study_of

FOLDS, EPOCHS, TRIALS = folds_of(), 8, 12
NUMBER = "  {name}: {{float: [0, 1], role: scientific, why: moves the score}}\n"
SPACE = """family: surface
parameters:
  loss: {choice: [full, sampled, pairwise], role: nuisance, why: has a gap of its own}
  depth: {int: [0, 2], role: scientific, why: moves the score}
""" + "".join(NUMBER.format(name=name) for name in NUMBERS)


class Configured(FamilyConfig):
    """A point of a surface."""

    loss: str
    depth: int
    learning_rate: float
    weight_decay: float
    dropout: float
    hidden_size: float
    embedding_size: float
    batch_size: float


class Surface:
    """What trials of one family score, and how long they take."""

    def __init__(self, seed: int) -> None:
        self.defaults = {k: v for k, v in family(seed).defaults.items() if k != "negatives"}
        self._family, self._noise = family(seed), np.random.default_rng(seed)
        self._sized = np.random.default_rng(2000 + seed).dirichlet(np.ones(4))

    def end(self, config: Configuration) -> float:
        """Where the curve goes; 1 or so is best."""
        numbers = {name: float(config[name]) for name in NUMBERS}
        return 1 + self._family.value(
            str(config["loss"]), {**numbers, "depth": int(config["depth"]) / 2}
        )

    def best(self) -> float:
        """Of all configurations."""
        at = dict(zip(NUMBERS, self._family.best[:6].tolist(), strict=True))
        depths = (0, 0.5, 1)
        return 1 + max(
            self._family.value(loss, {**at, "depth": d}) for loss in LOSSES for d in depths
        )

    def report(self, config: Configuration, epoch: int) -> float:
        """With noise."""
        rate = 0.3 + float(config["learning_rate"])
        return self.end(config) - 0.5 * float(np.exp(-rate * epoch)) + self._noise.normal(0, 0.005)

    def parameters(self, config: Configuration) -> int:
        """About 10,000 to 1,000,000, by its width, its depth and its share of each, drawn once."""
        at = [float(config[name]) for name in ("hidden_size", "embedding_size", "batch_size")]
        share = np.array([*at, int(config["depth"]) / 2]) @ self._sized
        return round(10_000 * float(np.exp(share * np.log(100))))

    def seconds(self, config: Configuration) -> float:
        """Of an epoch."""
        return float(np.exp(float(config["hidden_size"]) - float(config["batch_size"])))


def search(seed: int, n_families: int, workers: int, repeatable: bool) -> tuple[float, float]:
    """A whole study.

    Returns:
        Its seconds, and how much the selected lack to the best possible, mean over families.
    """
    surfaces = {f"f{n}": Surface(1000 * seed + n) for n in range(n_families)}
    experiment = study_of(
        *surfaces,
        trials=TRIALS,
        epochs=EPOCHS,
        repeatable=repeatable,
        seed=seed,
        stopping={"grace_epochs": 2, "reduction": 3, "full_trials": 4},
    )
    now, complete = searched(experiment, surfaces, workers)
    lacks = []
    for family_name, surface in surfaces.items():
        chosen = max(complete[family_name], key=lambda t: t.value or 0.0)
        lacks.append(surface.best() - surface.end({**surface.defaults, **chosen.params}))
    return now, mean(lacks)


def searched(
    experiment: Experiment, surfaces: Mapping[str, Surface], workers: int
) -> tuple[float, dict[str, list[FrozenTrial]]]:
    """What a search of the product's comes to: its seconds, and each family's complete trials."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder, spaces = Path(name), {}
        for family_name, surface in surfaces.items():
            path = folder / f"{family_name}.yaml"
            path.write_text(f"{SPACE}defaults: {surface.defaults}\n")
            spaces[family_name] = load_space(path, {"surface": Build(Configured, build)})
        ledger = ledger_of(folder, experiment, spaces)
        policy = policy_of(ledger, experiment)
        order, now, idle = count(), 0.0, workers
        running: list[tuple[float, int, Any, int]] = []  # (end of the epoch, order, trial, epoch)
        kept: dict[str, Any] = {}  # trial -> its best report
        while True:
            while idle and not policy.finished() and (proposal := policy.next()) is not None:
                idle -= 1
                epoch = 1 + max(ledger.values(proposal.id), default=0)
                seconds = surfaces[proposal.family].seconds(proposal.config)
                heapq.heappush(running, (now + seconds, next(order), proposal, epoch))
            if not running:
                break
            now, _, proposal, epoch = heapq.heappop(running)
            surface = surfaces[proposal.family]
            report = report_of(epoch, surface.report(proposal.config, epoch), FOLDS)
            report = replace(report, parameters=surface.parameters(proposal.config))
            if proposal.id not in kept or report.value > kept[proposal.id].value:
                kept[proposal.id] = report
            values = {**ledger.values(proposal.id), epoch: report.value}
            over = ledger.is_over(proposal, values)
            if policy.reported(proposal, report, kept[proposal.id] if over else None):
                again = now + surface.seconds(proposal.config)
                heapq.heappush(running, (again, next(order), proposal, epoch + 1))
            else:
                idle += 1
        return now, {
            name: [t for t in ledger.trials(name) if t.state.name == "COMPLETE"]
            for name in surfaces
        }


def compare(seeds: int) -> dict[str, dict[str, float]]:
    """Both modes on the same families: seconds and what is lacking, default beside repeatable."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    found = {}
    for n_families, workers in ((1, 2), (4, 2), (4, 8)):
        runs = np.array(
            [
                [search(seed, n_families, workers, mode) for mode in (False, True)]
                for seed in range(seeds)
            ]
        )  # (n_seeds, 2 modes, 2 figures)
        time_ratio = float(np.exp(np.log(runs[:, 1, 0] / runs[:, 0, 0]).mean()))
        regrets, gap = runs[:, :, 1].mean(axis=0), runs[:, 1, 1] - runs[:, 0, 1]
        error = float(gap.std(ddof=1) / np.sqrt(seeds))
        print(
            f"{n_families} families, {workers} workers: repeatable takes {time_ratio:.2f}x the "
            f"seconds; lacks {regrets[1]:.4f}, default {regrets[0]:.4f} "
            f"(difference {gap.mean():+.4f} ± {error:.4f})",
            flush=True,
        )
        found[f"{n_families} families, {workers} workers"] = {
            "seconds": round(time_ratio, 3),
            "lacks": round(float(regrets[1]), 4),
            "default lacks": round(float(regrets[0]), 4),
            "difference": round(float(gap.mean()), 4),
            "standard error": round(error, 4),
        }
    return found
