"""Files of a prepared folder: what is written comes back, and what was changed is refused."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from worlds import events_of

from recsweep.config.schema import Experiment
from recsweep.data.manifest import Manifest, read_manifest
from recsweep.data.prepare import prepare
from recsweep.data.prepared import load_dataset, read_events, verify, write_events, write_table
from recsweep.data.sources import file_sha256
from recsweep.data.types import BOUGHT, Events
from recsweep.errors import BadInput

LOG = events_of([(0, 1, 5), (0, 0, 1_600_000_000_000_001), (1, 1, 7)])
WHOLE = replace(
    LOG,
    kind=np.array([0, BOUGHT, 0], np.int8),
    dwell=np.array([1.5, np.nan, 0], np.float32),
    part=np.array([0, 1, -1]),
    treated=np.array([1, 0, np.nan], np.float32),
    propensity=np.array([0.1, 0.9, np.nan]),
)
COLUMNS = ("user", "item", "time", "kind", "dwell", "part", "treated", "propensity")


@pytest.fixture
def folder(
    ten_rows: list[tuple[str, str, int, str]],
    log_of: Callable[..., Path],
    experiment_on: Callable[..., Experiment],
    tmp_path: Path,
) -> Path:
    return prepare(experiment_on(log_of(ten_rows)), tmp_path).folder


@pytest.mark.parametrize("events", [LOG, WHOLE], ids=["bare", "whole"])
def test_events_come_back_as_they_were_written(events: Events, tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    write_events(path, events)
    found = read_events(path)
    for name in COLUMNS:
        one, other = getattr(events, name), getattr(found, name)
        if one is None:
            assert other is None
        else:
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype


def test_a_file_of_events_is_readable_by_others(tmp_path: Path) -> None:
    write_events(tmp_path / "events.parquet", WHOLE)
    frame = pl.read_parquet(tmp_path / "events.parquet")
    assert frame.columns == ["user", "item", "time", "type", *COLUMNS[4:]]
    assert frame["time"].dtype == pl.Datetime("us", "UTC")
    assert frame["type"].cast(pl.String).to_list() == ["browse", "purchase", "browse"]


def test_a_file_is_described_by_its_bytes_and_its_content_by_its_columns(tmp_path: Path) -> None:
    described = write_events(tmp_path / "events.parquet", WHOLE)
    whole = (tmp_path / "events.parquet").read_bytes()
    assert (described.bytes, described.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    columns = [getattr(WHOLE, name) for name in COLUMNS]
    content = b"".join(column.tobytes() for column in columns)
    assert described.content == hashlib.sha256(content).hexdigest()
    table = pl.DataFrame({"_id": ["a", "b"], "hours": [1.5, None]})
    described = write_table(tmp_path / "items.parquet", table)
    assert pl.read_parquet(tmp_path / "items.parquet").equals(table)
    content = b"".join(json.dumps([c.name, c.to_list()]).encode() for c in table)
    assert described.content == hashlib.sha256(content).hexdigest()
    assert described.sha256 == file_sha256(tmp_path / "items.parquet")


def test_a_file_that_is_not_as_the_manifest_has_it_is_refused(folder: Path) -> None:
    manifest = read_manifest(folder)
    verify(folder, manifest, manifest.files)
    (folder / "more.parquet").write_bytes(b"x")
    with pytest.raises(BadInput, match=r"more\.parquet: was changed .*the manifest has none"):
        verify(folder, manifest, ["more.parquet"])
    (folder / "users.parquet").write_bytes(b"x")
    told = manifest.files["users.parquet"].sha256[:12]
    with pytest.raises(BadInput, match=rf"users\.parquet: was changed .* \(sha256 .* has {told}…"):
        verify(folder, manifest, ["items.parquet", "users.parquet"])
    (folder / "items.parquet").unlink()
    with pytest.raises(BadInput, match=r"items\.parquet: cannot be read \(No such file"):
        verify(folder, manifest, ["items.parquet"])


@pytest.mark.parametrize("name", ["development", "users", "items"])
def test_a_data_set_is_loaded_from_files_that_are_as_they_were(folder: Path, name: str) -> None:
    (folder / f"{name}.parquet").write_bytes(b"x")
    with pytest.raises(BadInput, match=rf"{name}\.parquet: was changed after it was prepared"):
        load_dataset(folder)


def test_a_data_set_has_what_its_files_hold(folder: Path) -> None:
    found, manifest = load_dataset(folder), read_manifest(folder)
    assert (found.folder, found.fingerprint, found.cuts) == (
        folder, manifest.fingerprint, manifest.cuts,
    )  # fmt: skip
    assert (found.n_users, found.n_items, len(found.development)) == (2, 3, 8)
    assert found.users is not None
    assert found.items is not None
    assert found.users["_id"].to_list() == ["u1", "u2"]
    assert found.items["_id"].to_list() == ["a", "b", "c"]
    assert (found.user_rows, found.item_rows, found.word_vectors) == (None, None, None)


@pytest.mark.parametrize("name", ["user_rows", "item_rows", "word_vectors"])
def test_a_table_that_not_every_data_set_has_is_loaded_and_checked_where_it_is(
    folder: Path, name: str
) -> None:
    table = pl.DataFrame({"_id": ["u1"], "_valid_from": [3]})
    manifest = read_manifest(folder)
    file = write_table(folder / f"{name}.parquet", table)
    more = manifest.model_copy(update={"files": {**manifest.files, f"{name}.parquet": file}})
    (folder / "manifest.json").write_text(Manifest.model_dump_json(more))
    found = load_dataset(folder)
    for other in ("user_rows", "item_rows", "word_vectors"):
        rows = getattr(found, other)
        assert rows.equals(table) if other == name else rows is None
    (folder / f"{name}.parquet").write_bytes(b"x")
    with pytest.raises(BadInput, match=rf"{name}\.parquet: was changed"):
        load_dataset(folder)
