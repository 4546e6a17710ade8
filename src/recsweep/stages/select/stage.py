"""The verb `select`: pick each family's configuration by the rule written in the experiment."""

import os
from dataclasses import fields
from functools import partial
from pathlib import Path

from recsweep.config.values import Configuration
from recsweep.data.manifest import read_manifest
from recsweep.records.files import read_study
from recsweep.records.selection import BestFile, DataRecord, Selection, write_best
from recsweep.records.study import Study
from recsweep.records.user_values import read_user_values
from recsweep.stages.recorded import bound_spaces
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
        told = {f.name: getattr(choice, f.name) for f in fields(choice)}
        path = folder / "best" / f"{choice.family}.yaml"
        best = BestFile(
            command=f"make reproduce BEST={os.path.relpath(path, root)}",
            study=study.experiment.study,
            rule=selection.rule,
            metric=selection.metric,
            data=data,
            experiment=study.experiment,
            environment=study.environment,
            **{name: value for name, value in told.items() if name in BestFile.model_fields},
        )
        write_best(best, path)
    return selection


def choose(study: Study, folder: Path) -> Selection:
    """The selection, without writing anything."""
    spaces = bound_spaces(study, folder / "study.json")

    def near_edge(family: str, config: Configuration) -> list[str]:
        return spaces[family].near_edge(config)

    return select(study, partial(read_user_values, folder), near_edge)
