"""A study's folder as evidence, when it is held against another study."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsweep.bundle.files import read_bundle
from recsweep.bundle.format import BEST
from recsweep.bundle.format import NAME as BUNDLE
from recsweep.config.schema import Experiment
from recsweep.data.types import Float64, Int32
from recsweep.errors import BadInput
from recsweep.records.confirmation import Confirmation
from recsweep.records.confirmation_files import (
    LEARNERS,
    VERDICTS,
    read_confirmation,
    read_learners,
)
from recsweep.records.files import read_study
from recsweep.records.selection import ENSEMBLE, BestFile, read_best

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Learners:
    """Scores on the sealed test."""

    user: Int32  # (n_learners,) codes
    values: Mapping[str, Float64]  # family -> (n_seeds or n_searches, n_learners)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Selected configurations, verdicts, scores of learners: as much as the folder holds."""

    folder: Path
    experiment: Experiment
    fingerprint: str
    environment: Mapping[str, Any]
    spaces: Mapping[str, Any] | None  # None: `study.json` isn't there
    best: Mapping[str, BestFile]  # family -> its configuration and fold scores
    confirmation: Confirmation | None  # of these configurations

    def learners(self, metric: str) -> Learners | None:
        """None: nothing was confirmed, or `confirmation.parquet` isn't there.

        Raises:
            BadInput: the file is damaged, or has no such metric.
        """
        if self.confirmation is None or not (self.folder / LEARNERS).exists():
            return None
        table = read_learners(self.folder)
        if metric not in table.columns:
            raise BadInput(f"{self.folder / LEARNERS}: has no column {metric}")
        values = {}
        user: Int32 | None = None
        for (family,), part in table.group_by("family", maintain_order=True):
            codes = part["user"].unique(maintain_order=True).to_numpy()
            scores = part[metric].to_numpy().astype(np.float64)
            searches = part["search"].n_unique()
            cube = scores.reshape(searches, -1, len(codes))
            values[str(family)] = cube[0] if searches == 1 else cube.mean(axis=1)
            user = codes
        return None if user is None else Learners(user, values)


def _is_of(confirmation: Confirmation, best: Mapping[str, BestFile]) -> bool:
    """Were these configurations tested? Ends of a family's front may have been, beside them."""
    tested = {name: family.trial for name, family in confirmation.families.items()}
    return all(tested.get(name) == choice.trial for name, choice in best.items())


def read_evidence(folder: Path) -> Evidence:
    """Read what the folder of a study holds, its `best/` files at least; or what a bundle says of
    the study that it is of.

    Raises:
        BadInput: nothing was selected there, or a file can't be read.
    """
    paths = sorted((folder / "best").glob("*.yaml"))
    if not paths and (folder / BUNDLE).exists():
        read_bundle(folder)  # refuses one that was changed
        paths = [folder / BEST]
    if not paths:
        raise BadInput(f"{folder}: has no best/<family>.yaml; run recsweep select {folder} first")
    files = {best.family: best for best in map(read_best, paths)}
    first = next(iter(files.values()))
    spaces = None
    if (folder / "study.json").exists():
        found = read_study(folder).spaces
        spaces = {name: space.keys_as_declared() for name, space in found.items()}
    confirmation = read_confirmation(folder)
    names = first.experiment.families
    ordered = {name: files[name] for name in names if name in files}
    if confirmation is not None and not _is_of(confirmation, ordered):
        log.warning(
            "%s is about an earlier selection; `recsweep confirm %s` renews it",
            folder / VERDICTS,
            folder,
        )
        confirmation = None
    if ENSEMBLE in files and (confirmation is None or ENSEMBLE in confirmation.families):
        ordered[ENSEMBLE] = files[ENSEMBLE]
    return Evidence(
        folder=folder,
        experiment=first.experiment,
        fingerprint=first.data.fingerprint,
        environment=first.environment,
        spaces=spaces,
        best=ordered,
        confirmation=confirmation,
    )
