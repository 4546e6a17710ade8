"""Is a search that begins with an earlier study's trials sooner where a cold one comes?

    RECSWEEP_DATA=/path/to/data python benchmarks/warm_start.py experiments/mars.yaml \
        --families item_knn,markov --repeats 20 --first 24

The earlier study is of the log's first 60% (`folds.test: 0.4`), of `--first` trials; the warm one,
of 4, and the cold one, of 12, are of the whole log. Each repetition has seeds of its own, in all
three. Every trial is trained.
"""

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import optuna
import torch

from record_trials import score
from recsweep.config.files import load_experiment
from recsweep.config.schema import Experiment
from recsweep.config.values import Configuration
from recsweep.records.earlier import EarlierStudy, EarlierTrial
from recsweep.search.ledger import Ledger
from recsweep.search.storage import open_family, open_storage
from recsweep.spaces.space import Space
from recsweep.stages.sweep.stage import load_inputs
from recsweep.training.epoch import EpochReport

COLD, WARM = 12, 4
Score = Callable[[Configuration], float]


def search(
    experiment: Experiment,
    family: str,
    space: Space,
    trials: int,
    score_of: Score,
    earlier: tuple[EarlierStudy, ...] = (),
) -> list[EarlierTrial]:
    """One family's search by the product's ledger and sampler, a trial at a time."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        storage = open_storage(folder)
        study = open_family(storage, family, space, experiment, "data", earlier)
        ledger = Ledger(folder, experiment, {family: space}, storage, {family: study}, (), print_no)
        ledger.begin()
        for _ in range(trials):
            proposal = ledger.ask(family)
            report = EpochReport(1, score_of(proposal.config), {}, ())
            ledger.report(proposal.id, report)
            ledger.complete(proposal.id, report)
            params = {n: v for n, v in proposal.config.items() if n in space.parameters}
            found.append(EarlierTrial(proposal.id, "complete", params, {1: report.value}))
    return found


def print_no(event: object) -> None:
    """Nobody listens."""


def best(trials: list[EarlierTrial]) -> float:
    """Of a search."""
    return max(trial.values[1] for trial in trials)


def remembered(score_of: Score) -> Score:
    """A configuration is trained once."""
    known: dict[str, float] = {}

    def of(config: Configuration) -> float:
        key = str(sorted(config.items()))
        if key not in known:
            known[key] = score_of(config)
        return known[key]

    return of


def main() -> None:
    """Print a line a family."""
    parser = argparse.ArgumentParser(description="Warm against cold searches.")
    parser.add_argument("experiment", type=Path)
    parser.add_argument("--families", required=True)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--first", type=int, default=24, help="trials of the earlier study")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    whole, part = (
        load_inputs(load_experiment(arguments.experiment, settings), Path.cwd())
        for settings in ([], ["folds.test=0.4"])
    )
    for family in arguments.families.split(","):
        space = whole.spaces[family]
        of_whole, of_part = (remembered(partial(score, i, family)) for i in (whole, part))
        rows = [
            one(whole.experiment, family, space, of_part, of_whole, arguments.first, 1000 * n)
            for n in range(arguments.repeats)
        ]
        warm, cold, same = np.array(rows).T
        print(
            f"{family}: warm after {WARM} >= cold after {COLD} in {np.mean(warm >= cold):.0%} of "
            f"{len(rows)}; means {warm.mean():.4f}, {cold.mean():.4f}, cold after {WARM} "
            f"{same.mean():.4f}",
            flush=True,
        )


def one(
    experiment: Experiment,
    family: str,
    space: Space,
    of_part: Score,
    of_whole: Score,
    first: int,
    seed: int,
) -> tuple[float, float, float]:
    """Best after `WARM` warm trials, `COLD` cold ones and `WARM` cold ones."""
    seeded = [experiment.model_copy(update={"seed": seed + 100 * n}) for n in range(3)]
    before = search(seeded[0], family, space, first, of_part)
    earlier = (EarlierStudy("results/part", "part", 0, tuple(before)),)
    warm = search(seeded[1], family, space, WARM, of_whole, earlier)
    cold = search(seeded[2], family, space, COLD, of_whole)
    return best(warm), best(cold), best(cold[:WARM])


if __name__ == "__main__":
    main()
