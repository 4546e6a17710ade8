"""The sealed test's files, and the whole that they make with the development's."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from recsweep.config.schema import Experiment
from recsweep.data.manifest import read_manifest
from recsweep.data.prepare import prepare
from recsweep.data.prepared import write_events
from recsweep.data.sealed import load_sealed, unseal
from recsweep.data.types import Dataset
from recsweep.errors import BadInput

SECOND = 10**6


@pytest.fixture
def dataset(
    ten_rows: list[tuple[str, str, int, str]],
    log_of: Callable[..., Path],
    write: Callable[..., Path],
    experiment_on: Callable[..., Experiment],
    tmp_path: Path,
) -> Dataset:
    """Ten events, of which the last two are sealed: a new learner's, and one of u1; every row has
    a dwell, and the courses' table is dated.
    """
    rows = [*ten_rows[:9], ("u1", "a", 1_600_000_900, "view")]
    lines = [f"{','.join(map(str, row))},{n}" for n, row in enumerate(rows)]
    log = write("\n".join(["user,item,time,kind,seconds", *lines]) + "\n")
    text = "id,price,since\na,1,2020-01-01\na,2,2021-01-01\nb,3,2020-01-01\nd,4,2020-01-01\n"
    items = {"path": str(write(text, "items.csv")), "key": "id", "numeric": ["price"]}
    experiment = experiment_on(
        log, event={"dwell": "seconds"}, items={**items, "valid_from": "since"}
    )
    return prepare(experiment, tmp_path)


def test_the_whole_is_the_log_in_the_order_of_learners_and_times(dataset: Dataset) -> None:
    events = unseal(dataset).development
    assert events.user.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert events.item.tolist() == [0, 1, 2, 0, 0, 0, 2, 1, 0, 3]
    assert events.dwell is not None
    assert events.dwell.tolist() == [0, 1, 4, 6, 9, 2, 3, 5, 7, 8]
    start = 1_600_000_000 * SECOND
    assert ((events.time - start) // (100 * SECOND)).tolist() == events.dwell.tolist()
    assert (events.part, events.treated, events.propensity) == (None, None, None)


def test_tables_are_those_of_the_development_and_then_those_of_the_test(dataset: Dataset) -> None:
    whole = unseal(dataset)
    assert whole.users is not None
    assert whole.items is not None
    assert whole.item_rows is not None
    assert whole.users["_id"].to_list() == ["u1", "u2", "u3"]
    assert whole.items["_id"].to_list() == ["a", "b", "c", "d"]
    assert whole.item_rows["price"].to_list() == [1.0, 3.0, 4.0, 2.0]
    assert (whole.n_users, whole.n_items) == (3, 4)
    assert (whole.user_rows, whole.word_vectors) == (None, None)
    assert (whole.folder, whole.cuts) == (dataset.folder, dataset.cuts)


@pytest.mark.parametrize(
    "name", ["sealed_test", "sealed_users", "sealed_items", "sealed_item_rows"]
)
def test_nothing_is_unsealed_from_a_file_that_was_changed(dataset: Dataset, name: str) -> None:
    (dataset.folder / f"{name}.parquet").write_bytes(b"x")
    with pytest.raises(BadInput, match=rf"{name}\.parquet: was changed after it was prepared"):
        unseal(dataset)


def test_the_sealed_events_alone_need_no_other_file(dataset: Dataset) -> None:
    for name in ("users", "items", "development", "sealed_users"):
        (dataset.folder / f"{name}.parquet").unlink()
    test = load_sealed(dataset.folder)
    assert (test.user.tolist(), test.item.tolist()) == ([0, 2], [0, 3])
    write_events(dataset.folder / "sealed_test.parquet", replace(test, time=test.time + 1))
    with pytest.raises(BadInput, match=r"sealed_test\.parquet: was changed"):
        load_sealed(dataset.folder)


def test_a_table_that_a_data_set_is_without_is_not_made_up(dataset: Dataset) -> None:
    bare = unseal(replace(dataset, item_rows=None))
    assert bare.item_rows is None
    assert "sealed_item_rows.parquet" in read_manifest(dataset.folder).files
