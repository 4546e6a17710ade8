from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from studies import study_with

from recsweep.errors import BadInput
from recsweep.records.confirmation import Confirmation, confirmation_inputs
from recsweep.records.confirmation_files import (
    LEARNERS,
    read_confirmation,
    read_learners,
    write_confirmation,
)
from recsweep.records.openings import Opened, Opening, record_opening

CHOICES = {"gru": Opened(kind="gru", trial="gru-0003", config={"depth": 1}, epochs=4)}
USER = np.array([7, 9], np.int32)
SEEDS = ((0, 1, 2), (4, 5, 6))
SCORES = np.arange(12.0).reshape(2, 3, 2)  # (searches, seeds, learners)


def opening() -> Opening:
    return Opening(
        when=datetime(2026, 1, 1, tzinfo=UTC), why="confirm", code={}, fingerprint="f00",
        configurations=CHOICES,
    )  # fmt: skip


def written(folder: Path, **changes: object) -> Confirmation:
    keys: dict[str, object] = {
        "study": "test",
        "metric": "ndcg@10",
        "verdicts": (),
        "smallest_effect": 0.01,
        "level": 0.95,
        "scope": "configurations",
        "learners": 2,
        "targets": 5,
        "cold_targets": 0.0,
        "window": {},
        "openings": (opening(),),
        "families": {},
        "pairs": (),
        "subgroups": (),
        "dataset": "d",
        "fingerprint": "f00",
        "inputs": "00",
        "environment": {},
    }
    confirmation = Confirmation.model_validate({**keys, **changes})
    tables = {"gru": {"ndcg@10": SCORES}, "als": {"mrr@5": SCORES}}
    write_confirmation(confirmation, tables, SEEDS, USER, folder)
    return confirmation


def test_a_confirmation_reads_back_and_none_is_none(tmp_path: Path) -> None:
    assert read_confirmation(tmp_path) is None
    confirmation = written(tmp_path)
    assert read_confirmation(tmp_path) == confirmation


def test_openings_since_then_are_told_and_those_of_a_moved_file_stay(tmp_path: Path) -> None:
    written(tmp_path)
    record_opening(tmp_path, "confirm", {}, "f00", CHOICES)
    found = read_confirmation(tmp_path)
    assert found is not None
    assert found.openings == (opening(),)  # as many as it knew: its own
    later = record_opening(tmp_path, "reproduce --sealed", {}, "f00", CHOICES)
    found = read_confirmation(tmp_path)
    assert found is not None
    assert found.openings == later


def test_every_score_stands_with_its_search_its_seed_and_its_learner(tmp_path: Path) -> None:
    written(tmp_path)
    rows = read_learners(tmp_path).filter(family="gru")
    assert rows.select("search", "seed", "user", "ndcg@10").rows() == [
        (1, 0, 7, 0.0), (1, 0, 9, 1.0), (1, 1, 7, 2.0), (1, 1, 9, 3.0),
        (1, 2, 7, 4.0), (1, 2, 9, 5.0), (2, 4, 7, 6.0), (2, 4, 9, 7.0),
        (2, 5, 7, 8.0), (2, 5, 9, 9.0), (2, 6, 7, 10.0), (2, 6, 9, 11.0),
    ]  # fmt: skip
    assert rows["mrr@5"].is_null().all()


def test_a_table_of_a_single_search_may_lack_its_number(tmp_path: Path) -> None:
    written(tmp_path)
    path = tmp_path / LEARNERS
    pl.read_parquet(path).drop("search").write_parquet(path)
    assert read_learners(tmp_path)["search"].unique().to_list() == [1]
    path.write_bytes(b"torn")
    with pytest.raises(BadInput, match=r"confirmation\.parquet: cannot be read .*; run recsweep"):
        read_learners(tmp_path)


def test_searches_are_the_studys_own_and_the_repeated_ones(tmp_path: Path) -> None:
    assert written(tmp_path).searches == 1
    assert written(tmp_path, repeated=(CHOICES, CHOICES)).searches == 3


def test_what_is_asked_of_the_test_is_in_a_confirmations_identity() -> None:
    study, other = study_with(), {"gru": CHOICES["gru"].model_copy(update={"epochs": 5})}
    asked = [(CHOICES, []), (other, []), (CHOICES, [other]), (CHOICES, [CHOICES])]
    found = [confirmation_inputs(study, *each) for each in asked]
    assert len({*found}) == 4
    assert found[0] == confirmation_inputs(study, dict(CHOICES), ())
    assert len(found[0]) == 64
