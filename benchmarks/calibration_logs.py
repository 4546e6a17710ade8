"""Comparisons of trained families on freshly simulated logs, each with a known answer."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna
import torch

from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.data.prepare import prepare
from recsweep.data.sealed import unseal
from recsweep.data.simulator import SimulatorSettings, simulate, write
from recsweep.data.types import Float64, Fold
from recsweep.evaluation.comparison import compare
from recsweep.evaluation.verdict import PairVerdict, Scope
from recsweep.models.registry import families_of
from recsweep.spaces.files import load_space
from recsweep.tasks.folds import development_folds, make_fold
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import Diverged, Trial

NO_EFFECT = 1e-9  # a smallest effect that calls nothing equivalent
RESAMPLES = 1999
SEEDS, EPOCHS = 5, 4
SEARCHES, TRIALS = 4, 3  # searches a side, trials a search
PLANTED_ORDER = 0.3
SPACES = Path(__file__).parents[1] / "search_spaces"

ALS: Configuration = {"loss": "als", "factors": 8, "regularization": 1.0, "alpha": 5.0}
FISM: Configuration = {
    "loss": "cross_entropy",
    "factors": 16,
    "history_exponent": 0.5,
    "dropout": 0.1,
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "batch_size": 32,
    "window": 30,
}
GRU: Configuration = {
    "depth": 1,
    "hidden_size": 32,
    "embedding_size": 16,
    "dropout": 0.1,
    "learning_rate": 0.01,
    "weight_decay": 0.01,
    "batch_size": 16,
    "window": 30,
    "loss": "cross_entropy",
    "tied_embeddings": False,
}
NULLS = (("matrix_factorization", ALS), ("gru", GRU), ("matrix_factorization", FISM))
SEARCHED = ("matrix_factorization", "gru")


@dataclass(frozen=True, slots=True)
class Log:
    """A simulated log, cut once."""

    development: Fold
    test: Fold
    experiment: Experiment


def make_log(seed: int, order: float = 0.3, learners: int = 250, **dials: float) -> Log:
    """Simulate, write, prepare and cut a log, the way a user's log goes."""
    settings = SimulatorSettings.model_validate(
        {"learners": learners, "courses": 60, "order": order, "seed": seed, **dials}
    )
    overrides = ["folds.count=1", "folds.validation=0.2", "folds.test=0.35"]
    with tempfile.TemporaryDirectory() as name:
        path = write(simulate(settings), Path(name) / "log", families=["gru"])
        experiment = load_experiment(path, overrides)
        dataset = prepare(experiment, Path(name))
        whole = unseal(dataset)
    test = make_fold("test", whole.development, dataset.cuts.test, whole, experiment)
    return Log(development_folds(dataset, experiment)[0], test, experiment)


def null(number: int) -> PairVerdict:
    """One configuration under two names, each with seeds of its own."""
    log = make_log(number)
    family, config = NULLS[number % len(NULLS)]
    values = {
        name: run_on(log, family, config, EPOCHS, range(first, first + SEEDS))
        for name, first in (("one", 0), ("other", SEEDS))
    }
    return verdict_on(values, number)


def null_search(number: int) -> tuple[PairVerdict, PairVerdict]:
    """One family under two names, each searched on its own.

    The first verdict is on the family: every row comes from another search. The second is on the
    two configurations that a single search each has selected; those do differ, so a difference
    shown between them is no error, but would be one if it were read as a claim on the family.
    """
    log = make_log(1_000_000 + number)
    family = SEARCHED[number % len(SEARCHED)]
    of_family, of_configuration = {}, {}
    for name, first in (("one", 0), ("other", SEARCHES)):
        chosen = [_search(log, family, 1000 * number + first + s) for s in range(SEARCHES)]
        rows = [
            run_on(log, family, config, report.epoch, [first + s])
            for s, (config, report) in enumerate(chosen)
        ]
        of_family[name] = np.concatenate(rows)
        seeds = range(100 + first, 100 + first + SEARCHES)
        config, report = chosen[0]
        of_configuration[name] = run_on(log, family, config, report.epoch, seeds)
    return verdict_on(of_family, number, "families"), verdict_on(of_configuration, number)


def planted(number: int) -> PairVerdict:
    """Order decides a part of the browses: the GRU must beat the factorisation."""
    return _gru_against_factors(2_000_000 + number, PLANTED_ORDER)


def orderless(number: int) -> PairVerdict:
    """Order decides nothing: the GRU must not beat the factorisation."""
    return _gru_against_factors(4_000_000 + number, 0.0)


def _gru_against_factors(number: int, order: float) -> PairVerdict:
    log = make_log(number, order=order, learners=400)
    values = {
        "gru": run_on(log, "gru", GRU, 2 * EPOCHS, range(SEEDS)),
        "matrix_factorization": run_on(log, "matrix_factorization", FISM, EPOCHS, range(SEEDS)),
    }
    return verdict_on(values, number)


def real_coverage(repetitions: int, seeds: int = 30) -> list[bool]:
    """Whether intervals hold the truth when it is known from real training.

    Two families are trained with many seeds and scored on many learners. That table is then the
    world: five seeds and 300 learners are drawn from it, with replacement, so that its own mean
    is exactly what an interval should hold.
    """
    log = make_log(3_000_000, learners=1500)
    world = {
        "gru": run_on(log, "gru", GRU, EPOCHS, range(seeds)),
        "matrix_factorization": run_on(log, "matrix_factorization", FISM, EPOCHS, range(seeds)),
    }
    truth = float(world["gru"].mean() - world["matrix_factorization"].mean())
    covered = []
    for number in range(repetitions):
        random = np.random.default_rng(number)
        learners = random.integers(0, world["gru"].shape[1], 300)
        sample = {
            name: table[random.integers(0, seeds, SEEDS)][:, learners]
            for name, table in world.items()
        }
        verdict = verdict_on(sample, number)
        covered.append(verdict.lower <= truth <= verdict.upper)
    return covered


def _search(log: Log, family: str, seed: int) -> tuple[Configuration, EpochReport]:
    """The best of a few random configurations on the development fold, in its best epoch."""
    space = load_space(SPACES / f"{family}.yaml", families_of("next_item"))
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    found: list[tuple[Configuration, EpochReport]] = []
    while len(found) < TRIALS:
        config = space.suggest(study.ask())
        try:
            reports = run(log.development, log, family, config, EPOCHS, seed)
        except Diverged:
            continue
        found.append((config, max(reports, key=lambda report: report.value)))
    return max(found, key=lambda each: each[1].value)


def run_on(
    log: Log,
    family: str,
    config: Configuration,
    epochs: int,
    seeds: range | list[int],
    fold: Fold | None = None,
) -> Float64:
    """(n_seeds, n_learners) on the window of the fold, absent the test, after `epochs`."""
    return np.stack(
        [
            run(fold or log.test, log, family, config, epochs, seed)[-1].user_values[0]
            for seed in seeds
        ]
    )


def run(
    fold: Fold, log: Log, family: str, config: Configuration, epochs: int, seed: int
) -> tuple[EpochReport, ...]:
    """What each epoch reached on the window of the fold."""
    cpu = torch.device("cpu")
    return Trial(
        family,
        config,
        [fold],
        log.experiment,
        epochs=epochs,
        seed=seed,
        device=cpu,
    ).run()


def verdict_on(
    values: Mapping[str, Float64], seed: int, scope: Scope = "configurations"
) -> PairVerdict:
    """The first family against the second, as `confirm` compares them."""
    return compare(values, NO_EFFECT, RESAMPLES, seed, scope=scope)[0]
