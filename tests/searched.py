"""Studies that are searched by hand: one trial of each family, no Ray."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

from recsweep.config.files import read_yaml
from recsweep.config.schema import Experiment
from recsweep.config.values import Value
from recsweep.data.prepare import prepare
from recsweep.records.environment import environment
from recsweep.records.files import write_study
from recsweep.records.study import Study, SweepSession, TrialRow
from recsweep.records.user_values import FoldValues, write_user_values
from recsweep.spaces.bundled import space_path
from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages.select.stage import select_stage
from recsweep.tasks.folds import development_folds
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import Trial

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def search_by_hand(
    root: Path, experiment: Experiment, configs: Mapping[str, Mapping[str, Value]], epochs: int
) -> Path:
    """Prepare, try each configuration once, select; gives the study's folder."""
    dataset = prepare(experiment, root)
    folds = development_folds(dataset, experiment)
    folder, trials = root / "results" / experiment.study, []
    for family, config in configs.items():
        trial = Trial(
            family, config, folds, experiment, epochs=epochs, seed=5,
            device=torch.device("cpu"),
        )  # fmt: skip
        trials.append(_row(family, config, trial.run(), experiment))
        assert trial.best is not None
        values = [
            FoldValues(fold.name, fold.validation.histories.user, value)
            for fold, value in zip(folds, trial.best.user_values, strict=True)
        ]
        write_user_values(folder, trials[-1].id, values)
    study = Study(
        experiment=experiment,
        spaces={
            name: DeclaredSpace(**read_yaml(space_path(experiment, name, ROOT))) for name in configs
        },
        dataset=dataset.folder.name,
        fingerprint=dataset.fingerprint,
        environment=environment(),
        folds={fold.name: {"targets": len(fold.validation)} for fold in folds},
        sessions=(SweepSession(NOW, 1.0, 0.1, 1, 0.5, len(trials)),),
        trials=tuple(trials),
    )
    write_study(study, folder)
    select_stage(folder, root)
    return folder


def _row(
    family: str,
    config: Mapping[str, Value],
    reports: Sequence[EpochReport],
    experiment: Experiment,
) -> TrialRow:
    """A trial as the ledger writes it."""
    return TrialRow(
        id=f"{family}-0000",
        family=family,
        number=0,
        state="complete",
        reason=None,
        config=config,
        seed=5,
        epochs=tuple(EpochReport(r.epoch, r.value, r.metrics, r.losses) for r in reports),
        fit_seconds=sum(r.fit_seconds for r in reports),
        evaluate_seconds=sum(r.evaluate_seconds for r in reports),
        started=NOW,
        ended=NOW,
        lower_is_better=experiment.metric.lower_is_better,
    )
