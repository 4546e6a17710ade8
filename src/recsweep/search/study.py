"""From Optuna's studies to a `Study`."""

from collections.abc import Mapping
from pathlib import Path

import optuna

from recsweep.config.schema import Experiment
from recsweep.errors import BadInput
from recsweep.records.earlier import summed_up
from recsweep.records.study import Study
from recsweep.search.earlier import kept
from recsweep.search.enough import marked_end
from recsweep.search.sessions import read_sessions
from recsweep.search.storage import JOURNAL, kept_widenings, open_storage
from recsweep.search.trials import trial_rows
from recsweep.spaces.space import Space


def build_study(
    folder: Path,
    experiment: Experiment,
    spaces: Mapping[str, Space],
    *,
    dataset: str,
    fingerprint: str,
    environment: Mapping[str, object],
    folds: Mapping[str, Mapping[str, int]],
) -> Study:
    """All finished trials so far, with everything around them.

    Raises:
        BadInput: no sweep has begun in `folder`.
    """
    if not (folder / JOURNAL).exists():
        raise BadInput(f"{folder}: no sweep has begun here; there is no {JOURNAL}")
    storage = open_storage(folder)
    known = set(optuna.get_all_study_names(storage))
    studies = [
        optuna.load_study(study_name=name, storage=storage)
        for name in experiment.families
        if name in known
    ]
    return Study(
        experiment=experiment,
        spaces={name: space.declared() for name, space in spaces.items()},
        dataset=dataset,
        fingerprint=fingerprint,
        environment=environment,
        folds=folds,
        sessions=read_sessions(folder),
        trials=trial_rows(studies),
        widened={s.study_name: found for s in studies if (found := kept_widenings(s))},
        early_end=next((end for s in studies if (end := marked_end(s, experiment))), None),
        warm_start=summed_up({study.study_name: kept(study) for study in studies}),
    )
