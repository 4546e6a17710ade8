"""The verbs up to a finished search: prepare, space, plan, run_search, replay.

A stage is imported when it is called: `import recsweep` and the command line stay quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from recsweep.api.frames import with_files
from recsweep.config.schema import Experiment

if TYPE_CHECKING:
    from recsweep.api.study_folder import Place, StudyFolder
    from recsweep.data.types import Dataset
    from recsweep.search.plan import Plan
    from recsweep.search.replay import Replayed
    from recsweep.stages.space import FoundSpace
    from recsweep.tracking.events import Listener


def prepare(experiment: Experiment, root: str | Path = ".") -> Dataset:
    """Read, check, clean, index and fingerprint the data, or reuse what was prepared before.

    Args:
        experiment: what to read; a table may be a path or a frame.
        root: the folder that holds `data/`.

    Raises:
        BadInput: a raw file, a key or a value that does not fit.
        WorkFailed: a package that can't be fetched, or a folder that can't be written.

    Examples:
        >>> import polars as pl
        >>> log = pl.read_csv("log.csv")
        >>> events = [{"path": log, "user": "learner", "item": "course", "time": "at"}]
        >>> mine = Experiment(
        ...     study="mine", data={"name": "log", "events": events}, families=["popularity"]
        ... )
        >>> dataset = prepare(mine)
        >>> dataset.n_users, dataset.n_items
        (40, 12)
        >>> dataset.fingerprint == prepare(load_experiment("mine.yaml")).fingerprint
        True
    """
    from recsweep.data.prepare import prepare

    return prepare(with_files(experiment, Path(root)), Path(root))


def plan(experiment: Experiment, root: str | Path = ".") -> Plan:
    """What a sweep would do and take; trains one epoch of each family's defaults, writes nothing.

    Args:
        experiment: of the study.
        root: the folder that holds `data/`.

    Raises:
        BadInput, WorkFailed: see `prepare`; a space that can't be used.

    Examples:
        >>> planned = plan(load_experiment("mine.yaml"))
        >>> [(family.family, family.trials) for family in planned.families]
        [('gru', 2), ('item_knn', 2), ('popularity', 2)]
    """
    from recsweep.search.plan import plan
    from recsweep.stages.confirm.power import power_of_plan
    from recsweep.stages.sweep.stage import load_inputs

    inputs = load_inputs(with_files(experiment, Path(root)), Path(root))
    made = plan(inputs.experiment, inputs.spaces, inputs.folds)
    return replace(made, power=power_of_plan(inputs, made))


def run_search(
    experiment: Experiment,
    root: str | Path = ".",
    *,
    extra_trials: int = 0,
    listeners: Sequence[Listener] = (),
    later: Sequence[str] = (),
    widen: Sequence[str] = (),
) -> StudyFolder:
    """Run the trials that the study lacks: a new one, or one that was stopped, from where it was.

    Args:
        experiment: of the study.
        root: the folder that holds `data/` and `results/`.
        extra_trials: added to every tuned family's target.
        listeners: called with every event of the search, `recsweep.Progress()` for one.
        later: the verbs that follow, which the estimate of the end then counts.
        widen: ranges of a study that has begun, such as `gru.batch_size=8:128`.

    Returns:
        The study's folder; its `session` is None where no trial was lacking.

    Raises:
        BadInput: see `prepare`; a space that can't be used; a study begun with other settings.
        WorkFailed: Ray broke down; the same call goes on.
        KeyboardInterrupt: every finished trial is kept; the same call goes on.

    Examples:
        >>> study = run_search(load_experiment("mine.yaml"))
        >>> study.trials["state"].value_counts().rows()
        [('complete', 6)]
    """
    from recsweep.api.study_folder import StudyFolder
    from recsweep.stages.sweep.stage import load_inputs
    from recsweep.stages.sweep.stage import sweep as sweep_stage

    inputs = load_inputs(with_files(experiment, Path(root)), Path(root), widen)
    _, session = sweep_stage(inputs, extra_trials=extra_trials, listeners=listeners, later=later)
    return StudyFolder(inputs.folder, session)


def replay(study: Place) -> Replayed:
    """Derive every suggestion and stop of a search again from its journal.

    Raises:
        BadInput: no journal, or one that can't be read.

    Examples:
        >>> replay("results/mine").difference is None
        True
    """
    from recsweep.api.study_folder import folder_of
    from recsweep.search.replay import replay

    return replay(folder_of(study))


def space(
    which: str,
    *studies: Place,
    task: str = "next_item",
    root: str | Path = ".",
) -> FoundSpace:
    """A family's search space, and what studies have found in it.

    Args:
        which: a family of the task, whose own space is meant, or the path of a space file.
        studies: none: every study below `results/`.
        task: that the family serves.
        root: the folder that holds `results/`.

    Raises:
        BadInput: no such family or file, or a study that can't be read.

    Examples:
        >>> found = space("gru")
        >>> found.parameters[0].parameter.name
        'depth'
    """
    from recsweep.api.study_folder import folder_of
    from recsweep.stages.space import space_stage, study_folders

    folders = [folder_of(study) for study in studies] or study_folders(Path(root))
    return space_stage(which, folders, task, Path(root))
