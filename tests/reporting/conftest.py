"""A made-up study of real search spaces: scores by formula, nothing is trained."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from families import FAMILIES
from worlds import experiment_of

from recsweep.config.schema import Experiment
from recsweep.evaluation.comparison import compare
from recsweep.evaluation.subgroups import subgroup_differences
from recsweep.records.confirmation import (
    Confirmation,
    ConfirmedFamily,
    Estimate,
    Subgroup,
)
from recsweep.records.openings import Opening
from recsweep.records.selection import Selection
from recsweep.records.study import Study, SweepSession, TrialRow
from recsweep.records.user_values import FoldValues
from recsweep.spaces.files import load_space
from recsweep.spaces.space import Space
from recsweep.stages.select.rules import select
from recsweep.training.epoch import EpochReport

SPACES = Path(__file__).parents[2] / "search_spaces"
LEVELS = {
    "gru": 0.081,
    "lstm": 0.079,
    "matrix_factorization": 0.076,
    "wide_deep": 0.071,
    "item_knn": 0.083,
    "popularity": 0.039,
    "markov": 0.06,
}
SECONDS = {"gru": 30.0, "lstm": 38.0, "matrix_factorization": 4.0, "wide_deep": 12.0}
FOLDS = ("fold0", "fold1", "fold2")
EPOCHS = 8
START = datetime(2026, 1, 1, tzinfo=UTC)

MakeStudy = Callable[..., Study]


@pytest.fixture(scope="session")
def make_study() -> MakeStudy:
    """Make a study of `families` (name -> kind) with `trials` each."""

    def make(trials: int = 12, families: dict[str, str] | None = None, **changes: str) -> Study:
        kinds = families or {name: name for name in LEVELS}
        return _made(trials, tuple(kinds.items()), **changes)

    return make


@pytest.fixture(scope="session")
def selection_of() -> Callable[[Study], Selection]:
    """Select from a made-up study; every trial's learners scored the same."""

    def choose(study: Study) -> Selection:
        same = FoldValues("fold0", np.arange(4, dtype=np.int32), np.zeros(4))
        return select(
            study,
            lambda trial: [same],
            lambda family, config: _space(study.spaces[family].family).near_edge(config),
        )

    return choose


@pytest.fixture(scope="session")
def confirmation_of() -> Callable[..., Confirmation]:
    """A sealed test of every family, with real verdicts on made-up learners."""

    def confirm(study: Study, openings: int = 1, learners: int = 400) -> Confirmation:
        random = np.random.default_rng(3)
        ease = random.normal(0, 0.05, learners)
        values = {
            name: _level(study.spaces[name].family)
            + ease
            + random.normal(0, 0.05, learners)
            + random.normal(0, 0.001, (5, 1))
            for name in study.experiment.families
        }
        kinds = {name: study.spaces[name].family for name in values}
        opening = Opening(
            when=START, why="confirm", code={}, fingerprint=study.fingerprint, configurations={}
        )
        return Confirmation(
            metric="ndcg@10",
            learners=learners,
            targets=9815,
            cold_targets=0.0123,
            level=0.95,
            smallest_effect=0.005,
            families={
                name: _confirmed(kinds[name], float(table.mean())) for name, table in values.items()
            },
            pairs=compare(values, 0.005, 1000, seed=0),
            subgroups=_subgroups(values, learners),
            openings=openings * (opening,),
            study=study.experiment.study,
            verdicts=(),
            scope="configurations",
            window={},
            dataset=study.dataset,
            fingerprint=study.fingerprint,
            inputs="",
            environment={},
        )

    return confirm


@cache
def _space(kind: str) -> Space:
    return load_space(SPACES / f"{kind}.yaml", FAMILIES)


@cache
def _made(trials: int, kinds: tuple[tuple[str, str], ...], **changes: str) -> Study:
    """The same for all tests of a process: nothing of a study can be changed."""
    spaces = {name: _space(kind) for name, kind in kinds}
    experiment = experiment_of(
        study="made-up",
        families={name: f"search_spaces/{kind}.yaml" for name, kind in kinds},
        budget={"trials": trials, "epochs": EPOCHS},
        **changes,
    )
    rows = [row for name, space in spaces.items() for row in _trials(name, space, trials)]
    return _study(experiment, spaces, rows)


def _confirmed(kind: str, mean: float) -> ConfirmedFamily:
    return ConfirmedFamily(
        kind=kind,
        trial=f"{kind}-0000",
        config={},
        epochs=1,
        seeds=tuple(range(5)),
        deterministic=False,
        steps=None,
        fit_seconds=1.0,
        metrics={
            key: Estimate(share * mean, share * mean - 0.006, share * mean + 0.006)
            for key, share in (("ndcg@10", 1.0), ("recall@10", 2.1), ("mrr@10", 0.7))
        },
        coverage={"coverage@10": 5 * mean},
        novelty={"novelty@10": Estimate(30 * mean, 30 * mean - 0.1, 30 * mean + 0.1)},
        beyond={"gini@10": Estimate(mean, mean - 0.01, mean + 0.01)},
    )


def _subgroups(values: dict[str, np.ndarray], learners: int) -> tuple[Subgroup, ...]:
    """Two halves, a group of one learner and one of a form that the page doesn't know."""
    learner = np.arange(learners, dtype=np.int32)
    masks = {
        "history of up to 1200 events": learner < learners // 2,
        "history of more than 1200 events": learner >= learners // 2,
        "new learner": learner == 0,
        "something else": learner >= 2,
    }
    differences = {
        f"{a} - {b}": subgroup_differences(values[a], values[b], learner, masks)
        for a, b in combinations(values, 2)
    }
    return tuple(
        Subgroup(
            name=group,
            learners=int(mask.sum()),
            targets=int(mask.sum()),
            means={},
            differences={pair: found[n] for pair, found in differences.items()},
        )
        for n, (group, mask) in enumerate(masks.items())
    )


def _level(kind: str) -> float:
    """A twin without order is a little behind its network."""
    return LEVELS[kind.removesuffix("_unordered")] - 0.003 * kind.endswith("_unordered")


def _study(experiment: Experiment, spaces: Mapping[str, Space], rows: list[TrialRow]) -> Study:
    busy = sum(row.fit_seconds + row.evaluate_seconds for row in rows)
    counts = {
        "training events": 49996,
        "training learners": 489,
        "courses": 1466,
        "targets": 9815,
        "target learners": 180,
        "in the window": 10002,
        "empty history": 187,
    }
    return Study(
        experiment=experiment,
        spaces={name: space.declared() for name, space in spaces.items()},
        dataset="made-up-0123456789ab",
        fingerprint="f" * 64,
        environment={
            "recsweep": "0.1.0",
            "code": {"commit": "a" * 40, "changes": None},
            "python": "3.11.7",
            "cpu": "A processor",
            "cores": 2,
            "packages": {"torch": "2.13.0", "ray": "2.60.0", "optuna": "5.0.0"},
        },
        folds=dict.fromkeys(FOLDS, counts),
        sessions=(SweepSession(START, busy / 1.8, 4.0, 2, busy, len(rows)),),
        trials=tuple(rows),
    )


def _trials(name: str, space: Space, trials: int) -> list[TrialRow]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=len(name)))
    rows = []
    for number in range(trials if space.parameters else 1):
        if number == 0:
            study.enqueue_trial(dict(space.defaults))
        rows.append(_trial(name, space, number, space.suggest(study.ask())))
    return rows


def _trial(name: str, space: Space, number: int, config: dict[str, Any]) -> TrialRow:
    random = np.random.default_rng([number, *name.encode()])
    rate = config.get("learning_rate", config.get("regularization", 0.01))
    miss = abs(math.log10(rate) + 2.2) / 2 + 0.1 * config.get("dropout", 0.0)
    level = _level(space.family) * (1 - 0.35 * min(miss, 1.5)) + random.normal(0, 0.001)
    state, length = "complete", EPOCHS
    if space.family in ("item_knn", "popularity", "markov"):
        length = 1
        level = _level(space.family) * (1 - 0.02 * number / 12)
    elif number >= 4 and miss > 0.3:
        state, length = "pruned", 2 if miss > 0.6 else 4
    elif number == 5:
        state, length = "failed", 1
    speed = 0.35 + 0.5 * random.random()
    epochs = tuple(_epoch(epoch, level, speed, random) for epoch in range(1, length + 1))
    seconds = SECONDS.get(space.family, 1.0) * length / EPOCHS * (0.5 + random.random())
    return TrialRow(
        id=f"{name}-{number:04d}",
        family=name,
        number=number,
        state=state,  # type: ignore[arg-type]
        reason="fold1: the training loss is nan in epoch 2" if state == "failed" else None,
        config=config,
        seed=0,
        epochs=epochs,
        fit_seconds=seconds * 0.8,
        evaluate_seconds=seconds * 0.2,
        started=START + timedelta(seconds=40 * number),
        ended=START + timedelta(seconds=40 * number + seconds),
    )


def _epoch(epoch: int, level: float, speed: float, random: np.random.Generator) -> EpochReport:
    value = level * (1 - math.exp(-speed * (epoch + 1))) + random.normal(0, 0.0004)
    folds = tuple(float(value + d + random.normal(0, 0.001)) for d in (-0.003, 0.001, 0.002))
    mean = sum(folds) / 3
    metrics = {
        f"{metric}@{k}": tuple(share * size * fold for fold in folds)
        for metric, share in (("recall", 2.0), ("ndcg", 1.0), ("mrr", 0.7))
        for k, size in ((5, 0.7), (10, 1.0), (20, 1.3))
    }
    metrics["ndcg@10"] = folds
    return EpochReport(epoch, mean, metrics, (2.0 / epoch, 1.9 / epoch, None))
