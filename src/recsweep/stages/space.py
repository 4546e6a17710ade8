"""The verb `space`: a family's ranges, and what studies have found in them."""

import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsweep.config.files import nearest
from recsweep.config.schema.base import is_family_name
from recsweep.config.values import Value
from recsweep.errors import BadInput
from recsweep.models.registry import families_of, family
from recsweep.records.files import read_study
from recsweep.records.study import Study, TrialRow
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.spaces.parameter import Parameter
from recsweep.spaces.space import Space

log = logging.getLogger(__name__)

QUARTER = 0.25
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class FoundParameter:
    """What studies say of one range or choice."""

    parameter: Parameter
    values: int  # of trials among the best quarter of their study, where the parameter is in use
    quantiles: tuple[float, ...] | None  # of these values, at QUANTILES; None: a choice, or none
    counts: tuple[tuple[Value, int], ...]  # of a choice, the most frequent first
    best: tuple[Value, ...]  # of each study's best trial
    at_lower: int  # how many of those lie near the lower end, and could be lower
    at_upper: int


@dataclass(frozen=True, slots=True)
class FoundSpace:
    """A space, and what studies of its family found in it."""

    space: Space
    studies: tuple[str, ...]  # that know the family, with the family's name in each
    trials: int  # of them with a score
    parameters: tuple[FoundParameter, ...]


def space_stage(which: str, folders: Sequence[Path], task: str, root: Path) -> FoundSpace:
    """Hold a space against the trials of studies.

    Scores of different data can't be compared: the best quarter is taken of each study.

    Args:
        which: a family of the task, whose own space is meant, or a space file.
        folders: of studies; those of another task or without the family are passed over.
        task: that the family serves.
        root: what the path of a space file is below.

    Raises:
        BadInput: no such family or file, or a study that can't be read.
    """
    space = _space(which, task, root)
    names, best, good, trials = [], [], [], 0
    for folder in folders:
        study = read_study(folder)
        if study.experiment.task != task:
            continue
        for name, ranked in _ranked(study, space.family):
            names.append(folder.name if name == space.family else f"{folder.name} ({name})")
            best.append(ranked[0])
            good += ranked[: math.ceil(QUARTER * len(ranked))]
            trials += len(ranked)
    found = (_found(space, p, good, best) for p in space.parameters.values())
    return FoundSpace(space, tuple(names), trials, tuple(found))


def study_folders(root: Path) -> list[Path]:
    """Every study below `results/` that has been searched."""
    return sorted(path.parent for path in (root / "results").glob("*/study.json"))


def _space(which: str, task: str, root: Path) -> Space:
    families = families_of(task)
    if not is_family_name(which):
        return load_space(root / which, families)
    if which not in families:
        raise BadInput(f"{which}: no family of task {task}{nearest(which, families)}")
    path = own_space(family(which), task)
    if path is None:
        raise BadInput(f"{which} comes without a space; give the path of one")
    return load_space(path, families)


def _ranked(study: Study, kind: str) -> list[tuple[str, list[TrialRow]]]:
    """The trials with a score of each family of this kind, the best first."""
    goodness = study.experiment.metric.goodness
    found = []
    for name, declared in study.spaces.items():
        scored = [t for t in study.trials_of(name) if t.value is not None and t.state != "failed"]
        if declared.family == kind and scored:
            found.append((name, sorted(scored, key=lambda t: -goodness(t.value or 0.0))))
    return found


def _found(
    space: Space, parameter: Parameter, good: Sequence[TrialRow], best: Sequence[TrialRow]
) -> FoundParameter:
    name = parameter.name
    values = [trial.config[name] for trial in good if _says(space, name, trial)]
    bests = tuple(trial.config[name] for trial in best if _says(space, name, trial))
    edges = Counter(space.edge(name, value) for value in bests)
    numbers = [] if parameter.choices else [float(value) for value in values]
    return FoundParameter(
        parameter=parameter,
        values=len(values),
        quantiles=tuple(map(float, np.quantile(numbers, QUANTILES))) if numbers else None,
        counts=tuple(Counter(values).most_common()) if parameter.choices else (),
        best=bests,
        at_lower=edges["lower"],
        at_upper=edges["upper"],
    )


def _says(space: Space, name: str, trial: TrialRow) -> bool:
    """Has the trial this parameter, in the space's unit? Batches were counted in windows before."""
    units = {
        each.get("batch_unit", "windows")
        for each in ((trial.config, space.fixed) if name == "batch_size" else ())
    }
    return name in trial.config and len(units) < 2
