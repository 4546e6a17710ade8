"""The verb `portrait`: what a fitted network makes of learners, in groups that can be described.

It reads the development period alone: no file of the sealed test is opened.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recsweep.config.digest import json_sha256
from recsweep.config.schema import Decides, Experiment, deciding
from recsweep.data.features.choose import with_features
from recsweep.data.features.fit import known_users
from recsweep.data.manifest import PreparedFile, read_manifest
from recsweep.data.prepared import DEVELOPMENT, ITEM_ROWS, ITEMS, USER_ROWS, USERS
from recsweep.data.types import Dataset, Float32, Float64, Fold
from recsweep.errors import BadInput, WorkFailed
from recsweep.evaluation.portrait.clusters import (
    directions,
    distinct,
    find_clusters,
    project,
    structure,
)
from recsweep.models.protocol import Portrayable
from recsweep.records.environment import environment
from recsweep.records.files import read_study
from recsweep.records.lock import study_lock
from recsweep.records.openings import Opened
from recsweep.records.portrait import (
    Learners,
    Portrait,
    read_portrait,
    write_learners,
    write_portrait,
)
from recsweep.stages.machine import device_of, threads
from recsweep.stages.portrait.characterise import characterise
from recsweep.stages.portrait.portrayable import portrayed_family
from recsweep.stages.select.stage import choose
from recsweep.stages.sweep.stage import searched_data
from recsweep.tasks.development import whole_development
from recsweep.tasks.registry import TASKS
from recsweep.training.refit import refit
from recsweep.training.trial import Diverged

FEWEST = 10
"""Learners below whom no group could be told of."""


@dataclass(frozen=True, slots=True)
class Portrayed:
    """What `portrait_stage` gives back."""

    portrait: Portrait
    fitted: bool  # False: nothing had changed, and nothing was trained


OnEpoch = Callable[[str, int, int, float], None]
"""Told of every epoch of the refit: family, epoch, epochs in all, seconds left."""


def portrait_stage(
    folder: Path,
    root: Path,
    *,
    family: str | None = None,
    clusters: int | None = None,
    on_epoch: OnEpoch = lambda family, epoch, epochs, seconds_left: None,
) -> Portrayed:
    """Portray the learners of the study in `folder`, or read the portrait if no input has changed.

    Args:
        folder: of the study.
        root: the folder that holds `data/`.
        family: its name in the study; None: the best network.
        clusters: how many; None: chosen by silhouette score.
        on_epoch: told of every epoch of the refit.

    Raises:
        BadInput: no study, one whose data have no learners, a family that can't be portrayed, or
            more clusters than there are different learners.
        WorkFailed: nothing could be selected, or the refit diverged.
    """
    study = read_study(folder)
    if study.experiment.data.kind != "events":
        raise BadInput(
            f"{folder}: its data are {study.experiment.data.kind}, not learners with histories; "
            "portrait needs a study on a log (data.events)"
        )
    selection = choose(study, folder)
    name = portrayed_family(study, selection, family)
    selected = selection.opened[name]
    dataset = searched_data(study, root)
    files, cut = read_manifest(dataset.folder).files, dataset.cuts.test[0]
    inputs = portrait_inputs(files, cut, study.experiment, name, selected, clusters)
    before = read_portrait(folder, name)
    if before is not None and before.inputs == inputs:
        return Portrayed(before, fitted=False)
    with study_lock(folder, "portrait"):
        now = environment(study.experiment.resources)
        whole = whole_development(dataset, study.experiment)
        fold = with_features(whole, study.experiment.features_of(name))
        vectors = _vectors(study.experiment, name, selected, fold, on_epoch)
        told = {
            **selected.model_dump(),
            "study": study.experiment.study,
            "seed": study.experiment.seed,
            "asked": clusters,
            "inputs": inputs,
            "environment": now,
        }
        portrait = portray(vectors, fold, dataset, study.experiment, folder, name, told)
    return Portrayed(portrait, fitted=True)


def portray(
    vectors: Float32,
    fold: Fold,
    dataset: Dataset,
    experiment: Experiment,
    folder: Path,
    name: str,
    told: Mapping[str, Any],
) -> Portrait:
    """Group learners by their vectors, describe the groups, and write the portrait.

    Args:
        vectors: (n_learners, width) of the fold's histories.
        fold: with whole histories.
        dataset: that the fold is of.
        experiment: with the model's columns.
        folder: that `portraits/` lies in.
        name: of the files.
        told: what the record says of the model, and how many groups were `asked` for.

    Raises:
        BadInput: too few learners, or more groups than there are different ones.
    """
    points, clusters = directions(vectors), told["asked"]
    _check(points, clusters, folder)
    found = find_clusters(points, clusters)
    at, explained = project(points)
    ids = known_users(dataset).ids.gather(fold.validation.histories.user)
    learners = Learners(ids.cast(pl.String), found.labels + 1, at, vectors)
    portrait = Portrait(
        **told,
        family=name,
        learners=len(vectors),
        width=vectors.shape[1],
        silhouettes=found.silhouettes,
        silhouette=found.silhouette,
        structure=structure(found.silhouette),
        stability=found.stability,
        explained_variance=explained,
        clusters=characterise(dataset, experiment, fold, found.labels),
        vectors=write_learners(learners, folder, name),
    )
    write_portrait(portrait, folder)
    return portrait


def _vectors(
    experiment: Experiment,
    family: str,
    selected: Opened,
    fold: Fold,
    on_epoch: OnEpoch,
) -> Float32:
    """(n_learners, width) of the configuration, refitted as the confirmation refits it, but by the
    study's own seed.
    """
    began = time.monotonic()

    def hear(epoch: int, epochs: int) -> None:
        left = (time.monotonic() - began) / epoch * (epochs - epoch)
        on_epoch(family, epoch, epochs, left)

    try:
        with threads(experiment.resources):
            model = refit(
                selected.kind,
                selected.config,
                fold.training,
                epochs=selected.epochs,
                seed=experiment.seed,
                device=device_of(experiment.resources, 0),
                precision=experiment.resources.precision,
                task=TASKS[experiment.task],
                on_epoch=hear,
            )
            assert isinstance(model, Portrayable)  # its family says so
            vectors = model.learner_vectors(fold.validation.histories)
    except Diverged as reason:
        raise WorkFailed(f"{family}: the refit diverged: {reason}") from None
    if not np.isfinite(vectors).all():
        raise WorkFailed(f"{family}: some learners' vectors are not finite: the refit diverged")
    return vectors


def _check(points: Float64, clusters: int | None, folder: Path) -> None:
    if len(points) < FEWEST:
        raise BadInput(
            f"{folder}: {len(points)} learners have a history to portray; portraits need {FEWEST}"
        )
    if clusters is not None and clusters > (different := distinct(points)):
        raise BadInput(
            f"--clusters {clusters}: only {different} learners differ; ask for at most {different}"
        )


def portrait_inputs(
    files: Mapping[str, PreparedFile],
    cut: int,
    experiment: Experiment,
    family: str,
    selected: Opened,
    clusters: int | None,
) -> str:
    """Identity of a portrait: the development period's files, what is asked of them, the refit.

    Not the data's fingerprint, in which the sealed test has a say.
    """
    read = (DEVELOPMENT, USERS, ITEMS, USER_ROWS, ITEM_ROWS)
    content = {
        "development": {name: files[name].content for name in read if name in files},
        "cut": cut,
        "experiment": deciding(experiment.of_family(family), Decides.PORTRAIT),
        "selected": selected.model_dump(mode="json"),
        "clusters": clusters,
    }
    return json_sha256(content)
