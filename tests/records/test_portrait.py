from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsweep.data.sources import file_sha256
from recsweep.errors import BadInput
from recsweep.records.portrait import (
    Learners,
    Portrait,
    read_map,
    read_portrait,
    vectors_path,
    write_learners,
    write_portrait,
)

AT = np.array([[0.5, -1.0], [2.0, 3.0], [4.0, 5.0]])
LEARNERS = Learners(
    pl.Series(["ann", "bo", "cy"]),
    np.array([2, 1, 1]),
    AT,
    np.arange(6, dtype=np.float32).reshape(3, 2),
)


def written(folder: Path) -> Portrait:
    portrait = Portrait(
        study="test",
        family="gru",
        kind="gru",
        trial="gru-0003",
        config={"depth": 1},
        epochs=2,
        seed=0,
        learners=3,
        width=2,
        asked=None,
        silhouettes={2: 0.5},
        silhouette=0.5,
        structure="strong",
        stability=None,
        explained_variance=(0.7, 0.2),
        clusters=(),
        inputs="00",
        vectors=write_learners(LEARNERS, folder, "gru"),
        environment={},
    )
    write_portrait(portrait, folder)
    return portrait


def test_a_portrait_reads_back_and_its_vectors_digest_is_the_files(tmp_path: Path) -> None:
    portrait = written(tmp_path)
    assert read_portrait(tmp_path, "gru") == portrait
    assert portrait.vectors == file_sha256(tmp_path / "portraits" / "gru.parquet")


def test_the_map_has_clusters_and_places_and_the_file_the_rest(tmp_path: Path) -> None:
    written(tmp_path)
    cluster, at = read_map(tmp_path, "gru")
    assert cluster.tolist() == [2, 1, 1]
    assert at.tolist() == AT.tolist()
    table = pl.read_parquet(vectors_path(tmp_path, "gru"))
    assert table.columns == ["learner", "cluster", "x", "y", "vector"]
    assert table["vector"].to_list() == [[0, 1], [2, 3], [4, 5]]


def test_a_family_without_either_file_has_no_portrait(tmp_path: Path) -> None:
    assert read_portrait(tmp_path, "gru") is None
    written(tmp_path)
    assert read_portrait(tmp_path, "lstm") is None
    vectors_path(tmp_path, "gru").unlink()
    assert read_portrait(tmp_path, "gru") is None


def test_vectors_that_were_changed_are_refused_with_what_to_do(tmp_path: Path) -> None:
    written(tmp_path)
    with vectors_path(tmp_path, "gru").open("ab") as file:
        file.write(b" ")
    with pytest.raises(BadInput, match=r"gru\.parquet: was changed .*; delete it and run"):
        read_portrait(tmp_path, "gru")
