"""The verb `select`: pick each family's configuration by the rule written in the experiment."""

import os
from functools import partial
from pathlib import Path

from recsweep.config.values import Configuration
from recsweep.data.manifest import read_manifest
from recsweep.models.registry import families_of
from recsweep.records.files import read_study
from recsweep.records.selection import BestFile, Choice, DataRecord, Selection, write_best
from recsweep.records.study import Study
from recsweep.records.user_values import read_user_values
from recsweep.spaces.files import bind_space
from recsweep.stages.select.rules import select


def select_stage(folder: Path, root: Path) -> Selection:
    """Write `best/<family>.yaml` for every family of the study in `folder`.

    Raises:
        BadInput: no study in `folder`, or one that can't be read.
        WorkFailed: a family has no complete trial.
    """
    study = read_study(folder)
    selection = choose(study, folder)
    raw = {file.path: file.sha256 for file in read_manifest(root / "data" / study.dataset).raw}
    data = DataRecord(dataset=study.dataset, fingerprint=study.fingerprint, raw=raw)
    for choice in selection.families.values():
        path = folder / "best" / f"{choice.family}.yaml"
        write_best(_record(choice, selection, study, data, os.path.relpath(path, root)), path)
    return selection


def choose(study: Study, folder: Path) -> Selection:
    """The selection, without writing anything."""
    families, path = families_of(study.experiment.task), folder / "study.json"
    spaces = {name: bind_space(space, path, families) for name, space in study.spaces.items()}

    def near_edge(family: str, config: Configuration) -> list[str]:
        return spaces[family].near_edge(config)

    return select(study, partial(read_user_values, folder), near_edge)


def _record(
    choice: Choice, selection: Selection, study: Study, data: DataRecord, path: str
) -> BestFile:
    return BestFile(
        command=f"make reproduce BEST={path}",
        study=study.experiment.study,
        family=choice.family,
        kind=study.spaces[choice.family].family,
        trial=choice.trial,
        rule=selection.rule,
        config=choice.config,
        seed=choice.seed,
        epochs=choice.epochs,
        metric=selection.metric,
        value=choice.value,
        metrics=choice.metrics,
        converged=choice.converged,
        near_edge=choice.near_edge,
        data=data,
        experiment=study.experiment,
        environment=study.environment,
    )
