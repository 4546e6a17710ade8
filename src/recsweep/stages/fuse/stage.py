"""The verb `fuse`: make an ensemble of a study's best trials, chosen on the folds.

Scores are not kept through a search. The best trials of each family are trained again on the folds
by their own seeds, which gives the recorded figures bit for bit, and what they say to targets of
the folds is kept in memory while the ensemble is chosen. Nothing here reads the sealed test.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from recsweep.config.files import validate
from recsweep.data.features.choose import with_features
from recsweep.data.manifest import read_manifest
from recsweep.data.types import Fold, Targets
from recsweep.errors import BadInput, WorkFailed
from recsweep.evaluation.metrics import mean_over_folds
from recsweep.models.families.ensemble import VOTES, EnsembleConfig, Member
from recsweep.models.protocol import Context
from recsweep.models.registry import families_of
from recsweep.records.ensemble import ensemble_path
from recsweep.records.environment import environment
from recsweep.records.files import read_study
from recsweep.records.lock import study_lock
from recsweep.records.selection import ENSEMBLE, BestFile, DataRecord, write_best
from recsweep.records.study import Study
from recsweep.stages.fuse.greedy import FoldVotes, greedy_selection
from recsweep.stages.fuse.rebuild import Candidate, Metrics, Rebuilt, candidates_of, rebuilder
from recsweep.stages.fuse.votes import sample
from recsweep.stages.machine import threads, worker_count
from recsweep.stages.pool import side_by_side
from recsweep.stages.recorded import made_by
from recsweep.stages.sweep.stage import searched_data
from recsweep.tasks.folds import development_folds
from recsweep.tasks.registry import TASKS
from recsweep.training.trial import fold_seed

MOST_BYTES = 1 << 30
"""Of all candidates' votes together. Where they would take more, targets are sampled."""
CPU = torch.device("cpu")

OnCandidate = Callable[[Candidate, int, int, float], None]
"""Told of a candidate that is rebuilt, how many are, of how many, and of the seconds left."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one configuration, on all folds."""

    fit_seconds: float
    score_seconds: float
    model_bytes: int


@dataclass(frozen=True, slots=True)
class Fused:
    """The ensemble, and what it was chosen from."""

    path: Path
    best: BestFile
    members: tuple[Member, ...]
    candidates: tuple[Candidate, ...]  # the best alone first
    as_recorded: int  # candidates whose figures were the record's, bit for bit
    sampled: float  # share of the folds' targets that it was chosen on
    left_out: tuple[str, ...]  # families that use other columns than the ensemble
    cost: Cost
    single: Cost  # of the best candidate


def fuse_stage(
    folder: Path,
    root: Path,
    *,
    count: int = 2,
    workers: int | None = None,
    on_end: OnCandidate = lambda candidate, done, total, seconds_left: None,
) -> Fused:
    """Choose an ensemble and write `best/ensemble.yaml`.

    Args:
        folder: of the study.
        root: the folder that holds `data/`.
        count: of each family, so many of its best trials can be chosen.
        workers: processes; None: as many as the machine holds.
        on_end: told of every candidate that is rebuilt.

    Raises:
        BadInput: no study, other data than it searched on, or a task without ensembles.
        WorkFailed: no trial to choose from, one that diverged, or a process was killed.
    """
    study = read_study(folder)
    experiment = study.experiment
    if experiment.task not in VOTES:
        raise BadInput(f"{folder}: models of task {experiment.task} can't be fused")
    if ENSEMBLE in experiment.families:
        raise BadInput(f"{folder}: has a family that is called {ENSEMBLE} already")
    dataset = searched_data(study, root)
    whole = development_folds(dataset, experiment)
    folds = [with_features(fold, experiment.features_of(ENSEMBLE)) for fold in whole]
    vote, builds = VOTES[experiment.task], families_of(experiment.task)
    alike = [n for n in experiment.families if vote.joins(builds[study.spaces[n].family])]
    joining = [name for name in alike if _sees_the_same(study, name, whole, folds)]
    chosen_from = candidates_of(study, joining, count)
    if not chosen_from:
        raise WorkFailed(f"{folder}: no trial is complete, so none can be fused")
    _check(chosen_from, study, folder / "trials.parquet")
    samples = _samples(folds, study, len(chosen_from))
    rebuilt = side_by_side(
        chosen_from,
        partial(rebuilder, folds, samples, experiment),
        experiment.resources,
        workers=workers or worker_count(experiment.resources, len(chosen_from)),
        verb="fuse",
        on_end=on_end,
    )
    with threads(experiment.resources):
        weights = _weights(rebuilt, folds, samples, study)
        members = [(each, weight) for each, weight in zip(rebuilt, weights, strict=True) if weight]
        config = EnsembleConfig(members=tuple(_member(e, n, study) for e, n in members))
        began = time.perf_counter()
        metrics = _metrics(config, [each for each, _ in members], folds, study)
        scoring = time.perf_counter() - began
    best = _best(config, metrics, study, folder, root)
    with study_lock(folder, "fuse"):
        write_best(best, ensemble_path(folder))
    return Fused(
        path=ensemble_path(folder),
        best=best,
        members=config.members,
        candidates=tuple(chosen_from),
        as_recorded=sum(each.as_recorded for each in rebuilt),
        sampled=sum(map(len, samples)) / sum(len(fold.validation) for fold in folds),
        left_out=tuple(name for name in alike if name not in joining),
        cost=Cost(
            fit_seconds=sum(each.fit_seconds for each, _ in members),
            score_seconds=scoring,
            model_bytes=sum(each.model_bytes for each, _ in members),
        ),
        single=Cost(rebuilt[0].fit_seconds, rebuilt[0].score_seconds, rebuilt[0].model_bytes),
    )


def _sees_the_same(study: Study, family: str, whole: Sequence[Fold], folds: Sequence[Fold]) -> bool:
    """Does a family use the columns that the ensemble's members are given?"""
    own = with_features(whole[0], study.experiment.features_of(family)).training
    given = folds[0].training
    return all(
        getattr(own, columns) == getattr(given, columns)
        for columns in ("user_columns", "item_columns", "event_columns")
    )


def _check(candidates: Sequence[Candidate], study: Study, path: Path) -> None:
    """Refuse trials of another version, whose settings this one's families don't take."""
    builds = families_of(study.experiment.task)
    with made_by(study.environment):
        for each in candidates:
            validate(builds[each.kind].config, dict(each.config), f"{path}: {each.trial}")


def _samples(folds: Sequence[Fold], study: Study, candidates: int) -> list[Targets]:
    size, seed = VOTES[study.experiment.task].size, study.experiment.seed
    each = MOST_BYTES // (candidates * len(folds))
    return [sample(f.validation, max(1, each // size(f.training)), seed) for f in folds]


def _weights(
    rebuilt: Sequence[Rebuilt], folds: Sequence[Fold], samples: Sequence[Targets], study: Study
) -> tuple[int, ...]:
    experiment = study.experiment
    task, vote = TASKS[experiment.task], VOTES[experiment.task]
    asked = [
        FoldVotes(
            targets=targets,
            scorer=task.scorer(targets, fold.n_items, CPU),
            given=vote.given,
            votes=[each.votes[n] for each in rebuilt],
        )
        for n, (fold, targets) in enumerate(zip(folds, samples, strict=True))
    ]
    return greedy_selection(asked, task, experiment.metric).weights


def _member(rebuilt: Rebuilt, weight: int, study: Study) -> Member:
    candidate = rebuilt.candidate
    return Member(
        trial=candidate.trial,
        kind=candidate.kind,
        config=candidate.config,
        epochs=candidate.epochs,
        weight=weight,
        seed_offset=fold_seed(candidate.seed, 0) - fold_seed(study.experiment.seed, 0),
    )


def _metrics(
    config: EnsembleConfig, members: Sequence[Rebuilt], folds: Sequence[Fold], study: Study
) -> Metrics:
    """On all targets of the folds, by the ensemble itself with its members' states."""
    experiment = study.experiment
    task, build = TASKS[experiment.task], families_of(experiment.task)[ENSEMBLE]
    found = []
    for n, fold in enumerate(folds):
        context = Context(
            fold.training.without_learners(),
            fold_seed(experiment.seed, n),
            CPU,
            experiment.resources.precision,
        )
        model = build.model(config.model_dump(), context)
        model.load_state(
            {
                f"{place}/{name}": value
                for place, member in enumerate(members)
                for name, value in member.states[n].items()
            }
        )
        outcomes = task.scorer(fold.validation, fold.n_items, CPU).outcomes(model)
        found.append(task.summarise(outcomes, fold.validation, experiment.metric)[0])
    return {key: tuple(means[key] for means in found) for key in found[0]}


def _best(
    config: EnsembleConfig, metrics: Metrics, study: Study, folder: Path, root: Path
) -> BestFile:
    experiment, known = study.experiment, families_of(study.experiment.task)
    raw = {file.path: file.sha256 for file in read_manifest(root / "data" / study.dataset).raw}
    return BestFile(
        command=f"make reproduce BEST={os.path.relpath(ensemble_path(folder), root)}",
        study=experiment.study,
        family=ENSEMBLE,
        kind=ENSEMBLE,
        trial=ENSEMBLE,
        rule="greedy_selection",
        config={"members": tuple(member.model_dump() for member in config.members)},
        seed=experiment.seed,
        epochs=max(min(m.epochs, known[m.kind].epochs or m.epochs) for m in config.members),
        metric=experiment.metric.key,
        value=mean_over_folds(metrics, experiment.metric.key),
        metrics=metrics,
        converged=True,
        near_edge=(),
        data=DataRecord(dataset=study.dataset, fingerprint=study.fingerprint, raw=raw),
        experiment=experiment,
        environment=environment(experiment.resources),
    )
