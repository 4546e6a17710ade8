"""Score random configurations of an experiment's families; `sampler.py` replays searches on them.

    RECSWEEP_DATA=/path/to/data python benchmarks/record_trials.py experiments/mars.yaml mars \
        --families item_knn,matrix_factorization --count 60 [--set folds.test=0.4]

Each line of `recorded/<name>.jsonl` is a trial that nobody stopped: the family's first
configurations, then random ones, the same for every data set. Families take turns; a second run
goes on where the first one ended.
"""

import argparse
import json
import time
from pathlib import Path

import optuna
import torch

from recsweep.config.files import load_experiment
from recsweep.config.values import Configuration
from recsweep.data.features.choose import with_features
from recsweep.search.stopping import is_over
from recsweep.spaces.space import Space
from recsweep.stages.sweep.stage import Inputs, load_inputs
from recsweep.training.trial import Diverged, Trial

RECORDED = Path(__file__).parent / "recorded"


def configurations(space: Space, count: int) -> list[Configuration]:
    """The first ones of a space, and random ones up to `count`."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    first: list[Configuration] = [space.whole(config) for config in space.first().values()]
    return [*first, *(space.suggest(study.ask()) for _ in range(count - len(first)))]


def main() -> None:
    """Append a line a trial."""
    parser = argparse.ArgumentParser(description="Record trials of random configurations.")
    parser.add_argument("experiment", type=Path)
    parser.add_argument("name")
    parser.add_argument("--families", required=True)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--set", action="append", default=[])
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    families = arguments.families.split(",")
    experiment = load_experiment(arguments.experiment, arguments.set)
    inputs = load_inputs(experiment, Path.cwd())
    path = RECORDED / f"{arguments.name}.jsonl"
    path.parent.mkdir(exist_ok=True)
    known = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(trial["family"], trial["number"]) for trial in known}
    drawn = {name: configurations(inputs.spaces[name], arguments.count) for name in families}
    for number in range(arguments.count):
        for family in families:
            if (family, number) in done:
                continue
            config, began = drawn[family][number], time.perf_counter()
            value = score(inputs, family, config)
            line = {"family": family, "number": number, "config": config, "value": value}
            line["seconds"] = round(time.perf_counter() - began, 2)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def score(inputs: Inputs, family: str, config: Configuration) -> float:
    """Of the best epoch; 0: it diverged."""
    experiment = inputs.experiment
    columns = experiment.features_of(family)
    trial = Trial(
        inputs.spaces[family].family,
        config,
        [with_features(fold, columns) for fold in inputs.folds],
        experiment,
        epochs=experiment.budget.epochs,
        seed=experiment.seed,
        device=torch.device("cpu"),
    )
    try:
        while True:
            report = trial.advance()
            best = trial.best or report
            if is_over(report.epoch, best.epoch, trial.epochs, experiment.stopping.patience):
                return round(best.value, 6)
    except Diverged:
        return 0.0


if __name__ == "__main__":
    main()
