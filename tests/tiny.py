"""A study that was searched by hand: three families on a log of 40 learners, no Ray."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import torch

from recsweep.config.files import read_yaml
from recsweep.config.schema import Experiment
from recsweep.config.values import Value
from recsweep.data.prepare import prepare
from recsweep.data.types import Fold
from recsweep.records.environment import environment
from recsweep.records.files import write_study
from recsweep.records.study import Study, SweepSession, TrialRow
from recsweep.records.user_values import FoldValues, write_user_values
from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages.select.stage import select_stage
from recsweep.tasks.folds import development_folds
from recsweep.tasks.next_item.task import TASK as NEXT_ITEM
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import TrialRecord, run_trial

SPACES = Path(__file__).parents[1] / "search_spaces"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
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
    experiment = tiny_experiment()
    dataset = prepare(experiment, world.root)
    folds = development_folds(dataset, experiment)
    trials = []
    for family, config in CONFIGS.items():
        record = run_trial(
            family,
            config,
            folds,
            experiment.metric,
            epochs=2,
            seed=5,
            device=torch.device("cpu"),
            task=NEXT_ITEM,
        )
        trials.append(row_of(record))
        values = [
            FoldValues(fold.name, fold.validation.histories.user, value)
            for fold, value in zip(folds, record.best.user_values, strict=True)
        ]
        write_user_values(world.study, trials[-1].id, values)
    study = Study(
        experiment=experiment,
        spaces={name: DeclaredSpace(**read_yaml(SPACES / f"{name}.yaml")) for name in CONFIGS},
        dataset=dataset.folder.name,
        fingerprint=dataset.fingerprint,
        environment=environment(),
        folds={fold.name: counts(fold) for fold in folds},
        sessions=(SweepSession(NOW, 1.0, 0.1, 1, 0.5, len(trials)),),
        trials=tuple(trials),
    )
    write_study(study, world.study)
    select_stage(world.study, world.root)


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


def tiny_experiment() -> Experiment:
    """Its log lies where TINY_LOG says."""
    event = {"path": "${TINY_LOG}/log.csv", "user": "user", "item": "item", "time": "time"}
    return Experiment.model_validate(
        {
            "study": "tiny",
            "data": {"name": "tiny", "events": [event]},
            "folds": {"count": 2, "validation": 0.2, "test": 0.2},
            "targets": {"seen": "keep"},
            "metric": {"report_k": [5, 10]},
            "families": {name: f"search_spaces/{name}.yaml" for name in CONFIGS},
            "budget": {"trials": 1, "epochs": 2},
            "confirm": {"seeds": 2, "resamples": 1000},
        }
    )


def row_of(record: TrialRecord) -> TrialRow:
    """A trial as the ledger writes it."""
    return TrialRow(
        id=f"{record.family}-0000",
        family=record.family,
        number=0,
        state="complete",
        reason=None,
        config=record.config,
        seed=record.seed,
        epochs=tuple(EpochReport(r.epoch, r.value, r.metrics, r.losses) for r in record.reports),
        fit_seconds=sum(r.fit_seconds for r in record.reports),
        evaluate_seconds=sum(r.evaluate_seconds for r in record.reports),
        started=NOW,
        ended=NOW,
    )


def counts(fold: Fold) -> dict[str, int]:
    """Enough for a study's record."""
    return {"targets": len(fold.validation)}
