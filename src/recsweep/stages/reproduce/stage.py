"""The verb `reproduce`: rebuild a best configuration from its file alone and check every figure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsweep.config.files import read_yaml
from recsweep.data.features.choose import with_features
from recsweep.data.types import Dataset, Fold
from recsweep.errors import BadInput, WorkFailed
from recsweep.models.registry import families_of
from recsweep.records.confirmation_files import read_confirmation, read_learners
from recsweep.records.digests import edited
from recsweep.records.environment import changed, environment
from recsweep.records.lock import study_lock
from recsweep.records.openings import Opened
from recsweep.records.selection import BestFile, read_best
from recsweep.stages.confirm.conclude import learner_metrics
from recsweep.stages.confirm.refits import Job, RefitEnded, score_all
from recsweep.stages.confirm.stage import open_test
from recsweep.stages.machine import device_of, threads, worker_count
from recsweep.stages.recorded import check_configuration, recorded_data
from recsweep.stages.reproduce.figures import Figure, compare_figures, obstacles, tolerance
from recsweep.tasks.folds import development_folds
from recsweep.training.epoch import EpochReport
from recsweep.training.trial import Diverged, Trial

MORE_SEEDS = 2
"""Trained besides, where a tolerance has to be measured."""


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What was rebuilt, beside its record."""

    best: BestFile
    figures: tuple[Figure, ...]
    edited: tuple[str, ...]  # keys of the file that were changed after it was written
    obstacles: tuple[str, ...]  # why a tolerance was applied; none: bit for bit
    changes: tuple[str, ...]  # of the environment, all of them

    @property
    def passed(self) -> bool:
        """Does every figure agree, in a file that nobody edited?"""
        return not self.edited and all(figure.agrees for figure in self.figures)


def reproduce_stage(
    path: Path,
    root: Path,
    *,
    sealed: bool = False,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    on_end: Callable[[RefitEnded], None] = lambda ended: None,
) -> Reproduction:
    """Fetch and prepare the recorded data, train from nothing, and compare.

    Args:
        path: `results/<study>/best/<family>.yaml`.
        root: where `data/` is, or will be.
        sealed: rebuild the figures of the sealed test instead of the folds'. Needs the study's
            `verdicts.json` and `confirmation.parquet`; the opening is recorded.
        on_epoch: told of every epoch on the folds.
        on_end: told of every refit on the sealed test.

    Raises:
        BadInput: a file or key that can't be used.
        WorkFailed: a raw file or the prepared data differ from the record, or training diverged.
    """
    best = read_best(path)
    edits = tuple(edited(BestFile, read_yaml(path)))
    check_configuration(best, path)
    dataset = recorded_data(best, root)
    now = environment(best.experiment.resources)
    if sealed:
        recorded, figures, reasons = _on_test(best, path.parent.parent, dataset, now, on_end)
    else:
        recorded = best.environment
        figures, reasons = _on_folds(best, dataset, now, on_epoch)
    return Reproduction(best, figures, edits, tuple(reasons), tuple(changed(recorded, now)))


def _on_folds(
    best: BestFile,
    dataset: Dataset,
    now: Mapping[str, object],
    on_epoch: Callable[[EpochReport], None],
) -> tuple[tuple[Figure, ...], list[str]]:
    columns = best.experiment.features_of(best.family)
    folds = tuple(with_features(f, columns) for f in development_folds(dataset, best.experiment))
    reasons = obstacles(best.environment, now, best.experiment.resources)
    more = MORE_SEEDS if reasons and families_of(best.experiment.task)[best.kind].random else 0
    seeds = [best.seed + n for n in range(1 + more)]
    runs = [_train(best, folds, seed, on_epoch) for seed in seeds]
    tolerances = {}
    if reasons:
        learners = [len(fold.validation.histories) for fold in folds]
        tolerances = {
            name: tolerance(np.array([run[name] for run in runs]), learners) for name in runs[0]
        }
    figures = compare_figures(best.metrics, runs[0], [fold.name for fold in folds], tolerances)
    return figures, reasons


def _train(
    best: BestFile, folds: tuple[Fold, ...], seed: int, on_epoch: Callable[[EpochReport], None]
) -> Mapping[str, tuple[float, ...]]:
    resources = best.experiment.resources
    try:
        with threads(resources):
            trial = Trial(
                best.kind,
                best.config,
                folds,
                best.experiment,
                epochs=best.epochs,
                seed=seed,
                device=device_of(resources, 0),
            )
            return trial.run(on_epoch)[-1].metrics
    except Diverged as reason:
        raise WorkFailed(f"{best.trial}: training diverged: {reason}") from None


def _on_test(
    best: BestFile,
    folder: Path,
    dataset: Dataset,
    now: Mapping[str, object],
    on_end: Callable[[RefitEnded], None],
) -> tuple[Mapping[str, object], tuple[Figure, ...], list[str]]:
    confirmation = read_confirmation(folder)
    if confirmation is None:
        raise BadInput(f"{folder}: has no verdicts.json to check; run recsweep confirm {folder}")
    family = confirmation.families.get(best.family)
    opened = Opened.of(best)
    if family is None or Opened.of(family) != opened:
        found = "nothing" if family is None else f"{family.trial} with {family.epochs} epochs"
        raise BadInput(
            f"{folder}/verdicts.json: confirms {found} for {best.family}, not the best file's "
            f"configuration; run recsweep confirm {folder}"
        )
    table = read_learners(folder).filter(family=best.family, search=1)
    names = [name for name in family.metrics if name in table.columns]  # means over learners
    recorded = {
        name: table[name].to_numpy().reshape(len(family.seeds), -1).mean(axis=1).tolist()
        for name in names
    }
    with study_lock(folder, "reproduce --sealed"):
        experiment = best.experiment
        test, _ = open_test(
            folder, "reproduce --sealed", dataset, experiment, {best.family: opened}
        )
        own = family.seeds if families_of(experiment.task)[best.kind].random else family.seeds[:1]
        jobs = [Job(best.family, best.kind, best.config, best.epochs, seed, 1.0) for seed in own]
        scored = score_all(
            jobs,
            test,
            workers=worker_count(experiment.resources, len(jobs)),
            on_end=on_end,
        )
    columns = learner_metrics(scored, test)
    rebuilt = {name: values.mean(axis=1).tolist() for name, values in columns.items()}
    recorded = {name: values[: len(own)] for name, values in recorded.items()}
    reasons = obstacles(confirmation.environment, now, experiment.resources)
    tolerances = {}
    if reasons:
        tolerances = {
            name: tolerance(np.array(values)[:, None], [confirmation.learners])
            for name, values in recorded.items()
        }
    figures = compare_figures(recorded, rebuilt, [f"seed {seed}" for seed in own], tolerances)
    return confirmation.environment, figures, reasons
