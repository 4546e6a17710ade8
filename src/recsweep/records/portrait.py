"""A learner portrait as files: `portraits/<family>.json` for people, `.parquet` for statistics.

The Parquet file has one row a learner, in the order of the codes: `learner` (the raw id, personal
data), `cluster` (from 1), `x`, `y` (principal components) and `vector`. The JSON file names no
learner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recsweep.config.schema import Schema
from recsweep.config.values import Value
from recsweep.data.descriptions import DescribedTable
from recsweep.data.sources import file_sha256
from recsweep.data.types import Float32, Float64, Int64
from recsweep.errors import BadInput
from recsweep.evaluation.portrait.clusters import Structure
from recsweep.records.atomic import write_parquet
from recsweep.records.checked import read_record, write_record

FOLDER = "portraits"
RENEW = "delete it and run recsweep portrait"


class Lifted(Schema):
    """What is more frequent in a group than among all learners."""

    learners: int  # of the group who have it
    share: float  # of the group's learners
    overall: float  # the same of all learners
    lift: float  # drawn towards 1


class CourseLift(Lifted):
    """A course of the histories."""

    id: str
    label: str | None


class ValueLift(Lifted):
    """A category or tag, of learners themselves or of the courses of their histories."""

    table: DescribedTable
    column: str
    value: str


class Level(Schema):
    """A number's mean in a group."""

    table: DescribedTable
    column: str
    learners: int  # of the group of whom it is known
    mean: float
    overall: float
    standardised: float  # (mean - overall) / standard deviation over all learners


class Cluster(Schema):
    """One group of learners."""

    cluster: int  # from 1, the largest first
    learners: int
    share: float
    courses: tuple[CourseLift, ...]  # the largest lift first
    values: tuple[ValueLift, ...]
    levels: tuple[Level, ...]  # the farthest from the overall mean first


class Portrait(Schema):
    """The keys of `portraits/<family>.json`."""

    study: str
    family: str  # its name in the study
    kind: str  # its name in the registry
    trial: str
    config: Mapping[str, Value]
    epochs: int
    seed: int
    learners: int
    width: int  # of a vector
    asked: int | None  # number of clusters that was asked for; None: chosen by the silhouette
    silhouettes: Mapping[int, float]  # number of clusters -> mean silhouette
    silhouette: float | None  # of these clusters; None: there is but one
    structure: Structure
    stability: float | None  # adjusted Rand index between halves
    explained_variance: tuple[float, float]  # of x and y
    clusters: tuple[Cluster, ...]
    inputs: str  # digest of what decides the vectors and the clusters
    vectors: str  # sha256 of the Parquet file
    environment: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Learners:
    """The rows of the Parquet file."""

    id: pl.Series  # (n_learners,) raw ids
    cluster: Int64  # (n_learners,) from 1
    at: Float64  # (n_learners, 2)
    vector: Float32  # (n_learners, width)


def write_learners(learners: Learners, folder: Path, family: str) -> str:
    """Write the Parquet file; gives its sha256.

    Args:
        learners: in the order of their codes.
        folder: of the study.
        family: its name in the study.
    """
    width = learners.vector.shape[1]
    frame = pl.DataFrame(
        {
            "learner": learners.id,
            "cluster": learners.cluster.astype(np.int32),
            "x": learners.at[:, 0],
            "y": learners.at[:, 1],
            "vector": pl.Series(learners.vector, dtype=pl.Array(pl.Float32, width)),
        }
    )
    path = vectors_path(folder, family)
    write_parquet(path, frame)
    return file_sha256(path)


def write_portrait(portrait: Portrait, folder: Path) -> None:
    """Write the JSON file; it comes last, so its presence says that both are there."""
    write_record(portrait_path(folder, portrait.family), portrait)


def read_portrait(folder: Path, family: str) -> Portrait | None:
    """Read it back; None where the family has none, or its vectors are gone.

    Raises:
        BadInput: a file is there that isn't one of ours, or was changed since it was written.
    """
    path, vectors = portrait_path(folder, family), vectors_path(folder, family)
    if not path.exists() or not vectors.exists():
        return None
    portrait = read_record(Portrait, path, RENEW)
    if file_sha256(vectors) != portrait.vectors:
        raise BadInput(f"{vectors}: was changed after it was written; {RENEW}")
    return portrait


def read_map(folder: Path, family: str) -> tuple[Int64, Float64]:
    """(n_learners,) clusters from 1 and (n_learners, 2) places, and nobody's id.

    Args:
        folder: of the study.
        family: one that `read_portrait` found.
    """
    table = pl.read_parquet(vectors_path(folder, family), columns=["cluster", "x", "y"])
    return table["cluster"].to_numpy().astype(np.int64), table.select("x", "y").to_numpy()


def portrait_path(folder: Path, family: str) -> Path:
    """`portraits/<family>.json`."""
    return folder / FOLDER / f"{family}.json"


def vectors_path(folder: Path, family: str) -> Path:
    """`portraits/<family>.parquet`."""
    return folder / FOLDER / f"{family}.parquet"
