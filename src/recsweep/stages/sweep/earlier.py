"""`warm_start`: trials of earlier studies, for every tuned family alike."""

from collections.abc import Mapping
from pathlib import Path

from recsweep.config.schema import Experiment
from recsweep.data.manifest import read_manifest
from recsweep.data.overlap import overlap
from recsweep.data.types import Dataset
from recsweep.errors import BadInput
from recsweep.records.earlier import Earlier, EarlierStudy, EarlierTrial
from recsweep.records.files import read_study
from recsweep.records.study import Study
from recsweep.spaces.space import Space


def read_earlier(
    experiment: Experiment, spaces: Mapping[str, Space], dataset: Dataset, root: Path
) -> Earlier:
    """The trials of every study that `warm_start` names.

    Args:
        experiment: of the study that is to begin.
        spaces: of its families.
        dataset: that it is searched on.
        root: the folder that paths are below, and that holds `data/`.

    Raises:
        BadInput: a study that can't be read, asked another question, was scored on what is sealed
            here, or knows nothing of a tuned family.
    """
    found: dict[str, tuple[EarlierStudy, ...]] = {}
    for name in experiment.warm_start:
        study = read_study(root / name)
        _check_question(name, study, experiment)
        _check_data(name, study, dataset, root)
        for family, space in spaces.items():
            if space.parameters:
                found[family] = (*found.get(family, ()), _taken(name, study, family, space))
    return found


def _check_question(name: str, study: Study, experiment: Experiment) -> None:
    asked = (study.experiment.task, study.experiment.metric.key)
    ask = (experiment.task, experiment.metric.key)
    if asked != ask:
        raise BadInput(
            f"warm_start: {name} was searched by {asked[1]} of task {asked[0]}, this study by "
            f"{ask[1]} of task {ask[0]}"
        )


def _check_data(name: str, study: Study, dataset: Dataset, root: Path) -> None:
    folder = root / "data" / study.dataset
    manifest = read_manifest(folder)
    if manifest.fingerprint != study.fingerprint:
        raise BadInput(
            f"warm_start: {folder} has fingerprint {manifest.fingerprint[:12]}…, {name} was "
            f"searched on {study.fingerprint[:12]}…"
        )
    if problem := overlap(manifest, read_manifest(dataset.folder)):
        raise BadInput(f"warm_start: {name}: {problem}; leave it out")


def _taken(name: str, study: Study, family: str, space: Space) -> EarlierStudy:
    """Failed trials say nothing of a score."""
    kind = study.spaces[family].family if family in study.spaces else None
    if kind != space.family:
        has = "has no" if kind is None else f"means a {kind} by"
        raise BadInput(
            f"warm_start: {name} {has} {family}; every tuned family has to be in it, since none "
            "may know more than the others"
        )
    taken, left_out = [], []
    for row in study.trials_of(family):
        if row.state == "failed" or row.state == "refused" or not row.epochs:  # noqa: PLR1714
            continue
        if problems := space.problems(row.config):
            left_out.append(f"{row.id}: {problems[0]}")
            continue
        params = {key: row.config[key] for key in space.parameters if key in row.config}
        values = {report.epoch: report.value for report in row.epochs}
        taken.append(EarlierTrial(row.id, row.state, params, values))
    if not any(trial.state == "complete" for trial in taken):
        raise BadInput(
            f"warm_start: {name} has no complete trial of {family} within this study's space"
            + "".join(f" ({first})" for first in left_out[:1])
        )
    return EarlierStudy(name, study.fingerprint, len(left_out), tuple(taken))
