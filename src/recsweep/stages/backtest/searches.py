"""Searching again at a step: the study's own search, on what was known by then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recsweep.config.digest import json_sha256
from recsweep.config.values import Value
from recsweep.data.clock import iso
from recsweep.data.types import Dataset
from recsweep.errors import BadInput
from recsweep.models.registry import families_of
from recsweep.records.files import read_study
from recsweep.records.selection import BestFile, Choice
from recsweep.spaces.files import bind_space
from recsweep.spaces.space import Space
from recsweep.stages.backtest.steps import known_at
from recsweep.stages.confirm.searches import SEEDS_APART
from recsweep.stages.select.stage import choose
from recsweep.stages.sweep.stage import Inputs, sweep
from recsweep.tasks.folds import development_folds
from recsweep.tracking.events import Listener


@dataclass(frozen=True, slots=True)
class Found:
    """What one search chose."""

    choice: Choice
    seconds: float  # of all its trials


def space_with(best: BestFile, folder: Path) -> Space:
    """The space that the study searched, with the best configuration among its first trials.

    Raises:
        BadInput: no study there, or nothing of the family to search.
    """
    declared = read_study(folder).spaces.get(best.family)
    if declared is None or not declared.parameters:
        raise BadInput(f"--search: {best.family} has no parameters to search; leave it out")
    space = bind_space(declared, folder, families_of(best.experiment.task))
    mine: dict[str, Value] = {
        name: value
        for name, value in best.config.items()
        if name in space.parameters and not isinstance(value, tuple)  # that is an ensemble's
    }
    if mine in space.first().values():
        return space
    return space.model_copy(update={"first_trials": (mine, *space.first_trials)})


def search_at(
    moment: int,
    number: int,
    trials: int,
    best: BestFile,
    space: Space,
    opened: Dataset,
    folder: Path,
    listeners: Sequence[Listener],
) -> Found:
    """Search on all before a moment; a search that has all its trials is only read.

    Args:
        moment: microseconds since 1970 UTC.
        number: of the step, from 0; every search has seeds of its own.
        trials: of the search.
        best: whose family is searched.
        space: see `space_with`.
        opened: with the sealed test's events.
        folder: of the search.
        listeners: told of everything as it happens.

    Raises:
        BadInput, WorkFailed, KeyboardInterrupt: see `sweep` and `choose`.
    """
    own = best.experiment.of_family(best.family)
    budget = own.budget.model_copy(update={"trials": trials, "seconds": None})
    experiment = own.model_copy(
        update={
            "study": f"{own.study[:40]}-backtest-{number + 1}",
            "seed": own.seed + SEEDS_APART * (number + 1),
            "budget": budget,
            "storage": own.storage.model_copy(update={"mirror": None}),
            "tracking": own.tracking.model_copy(update={"wandb": "off", "mlflow": False}),
        }
    )
    known = known_at(moment, opened, experiment)
    known = replace(known, fingerprint=json_sha256([opened.fingerprint, iso(moment)]))
    folds = development_folds(known, experiment)
    inputs = Inputs(experiment, folder, known, folds, {best.family: space})
    study, _ = sweep(inputs, listeners=listeners)
    choice = choose(study, folder).families[best.family]
    return Found(choice, sum(trial.seconds for trial in study.trials))
