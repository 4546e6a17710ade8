"""The record of a preparation: what it identifies, and what an older one says."""

import json
from pathlib import Path
from typing import Any

import pytest
from worlds import experiment_of

from recsweep.data import manifest as module
from recsweep.data.manifest import (
    FORMAT,
    Moment,
    PreparedFile,
    fingerprint,
    inputs_hash,
    read_manifest,
)
from recsweep.data.types import Cuts
from recsweep.errors import BadInput

CUTS = Cuts(((10, 20), (20, 30)), (30, 41))


def file(content: str, size: int = 1) -> PreparedFile:
    return PreparedFile(bytes=size, sha256=f"{size}", content=content)


def period(start: int, end: int) -> dict[str, Any]:
    moments = {"start": Moment.at(start).model_dump(), "end": Moment.at(end).model_dump()}
    return {**moments, "events": 1, "users": 1, "items": 1, "types": {"browse": 1}}


def fold(name: str, start: int, end: int) -> dict[str, Any]:
    none = dict.fromkeys(
        [
            *("users_below_min_user_events", "items_below_min_item_events"),
            *("validation_events_of_new_users", "validation_events_on_new_items"),
        ],
        0,
    )
    return {"name": name, "training": period(0, start), "validation": period(start, end), **none}


@pytest.fixture
def oldest() -> dict[str, Any]:
    """A manifest as the first version wrote it, without any key that came later."""
    experiment = experiment_of()
    rows = {"path": "x", "rows": 3, "dropped": {}, "unmapped_types": {}, "kept": 3}
    table = {"path": "y", "rows": 2, "without_id": 0, "repeated": 0, "without_event": 0}
    return {
        "recsweep_format": 1,
        "name": "test",
        "inputs": "a",
        "fingerprint": "b",
        "cleaning": [rows],
        "duplicates": 0,
        "user_table": {**table, "ids_without_row": 0},
        "item_table": None,
        "development": period(0, 30),
        "folds": [fold("fold0", 10, 20), fold("fold1", 20, 30)],
        "sealed_test": period(30, 41),
        "raw": [],
        "files": {},
        "data": experiment.data.model_dump(mode="json"),
        "fold_rule": experiment.folds.model_dump(mode="json"),
    }


def written(folder: Path, content: dict[str, Any]) -> Path:
    (folder / "manifest.json").write_text(json.dumps(content))
    return folder


def test_an_older_manifest_says_nothing_of_what_came_later(
    oldest: dict[str, Any], tmp_path: Path
) -> None:
    found = read_manifest(written(tmp_path, oldest))
    (rows,) = found.cleaning
    assert (rows.without_dwell, rows.negative) == (0, {})
    assert found.user_table is not None
    assert (found.user_table.ids, found.user_table.without_time) == (0, 0)
    assert (found.odd_ids, found.odd_values) == ((), ())
    assert found.cuts == CUTS
    assert json.loads(found.model_dump_json()).keys() == oldest.keys()


def test_a_manifest_is_read_if_it_is_one_of_this_format(
    oldest: dict[str, Any], tmp_path: Path
) -> None:
    for other in (FORMAT - 1, FORMAT + 1):
        with pytest.raises(
            BadInput, match=f"manifest.json: has format {other}, this version reads {FORMAT}"
        ):
            read_manifest(written(tmp_path, oldest | {"recsweep_format": other}))
    with pytest.raises(BadInput, match=r"is no manifest of this version \(development\.events\)"):
        read_manifest(written(tmp_path, oldest | {"development": {**period(0, 30), "events": "x"}}))
    wrong = {"name": 1, "development": {**period(0, 30), "events": "x"}}
    with pytest.raises(BadInput, match=r"is no manifest of this version \(name\)"):
        read_manifest(written(tmp_path, oldest | wrong))
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(BadInput, match=r"is no manifest of this version \(Invalid JSON"):
        read_manifest(tmp_path)
    with pytest.raises(BadInput, match=r"cannot be read \(No such file.*run recsweep prepare$"):
        read_manifest(tmp_path / "nothing")


def test_a_moment_is_told_twice() -> None:
    assert Moment.at(1_000_001).model_dump() == {
        "microseconds": 1_000_001,
        "iso": "1970-01-01T00:00:01.000001+00:00",
    }


def test_what_was_prepared_is_identified_by_its_content_and_its_cuts_alone() -> None:
    one = fingerprint({"a": file("x"), "b": file("y")}, CUTS)
    assert fingerprint({"b": file("y", 7), "a": file("x", 8)}, CUTS) == one
    others = [
        fingerprint({"a": file("x"), "b": file("z")}, CUTS),
        fingerprint({"a": file("y"), "b": file("x")}, CUTS),
        fingerprint({"a": file("x"), "b": file("y")}, Cuts(CUTS.validation, (30, 42))),
        fingerprint({"a": file("x"), "b": file("y")}, Cuts(((10, 20),), CUTS.test)),
    ]
    assert len({one, *others}) == 5


def test_a_preparation_is_identified_by_raw_bytes_and_by_the_keys_that_shape_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = inputs_hash(["a", "b"], experiment_of())
    assert inputs_hash(["a", "b"], experiment_of(seed=5, budget={"trials": 2})) == one
    others = [
        inputs_hash(["b", "a"], experiment_of()),
        inputs_hash(["a"], experiment_of()),
        inputs_hash(["a", "b"], experiment_of(folds={"count": 2})),
    ]
    for name in ("FORMAT", "RULES"):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, 99)
            others.append(inputs_hash(["a", "b"], experiment_of()))
    assert len({one, *others}) == 6
