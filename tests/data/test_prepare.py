import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from worlds import experiment_of

from recsweep.cli.prepare_lines import caveats
from recsweep.config.schema import Experiment
from recsweep.data import manifest as manifest_module
from recsweep.data import prepare as module
from recsweep.data import prepared
from recsweep.data.manifest import read_manifest
from recsweep.data.prepare import prepare
from recsweep.data.prepared import load_dataset
from recsweep.data.sealed import load_sealed, unseal
from recsweep.data.types import KINDS, Dataset
from recsweep.errors import BadInput, WorkFailed

Rows = list[tuple[str, str, int, str]]
LogOf = Callable[..., Path]
ExperimentOn = Callable[..., Experiment]


@pytest.fixture
def small(
    ten_rows: Rows, log_of: LogOf, experiment_on: ExperimentOn, tmp_path: Path
) -> Callable[[], Dataset]:
    """Prepare the ten rows with folds of two and a test of two."""
    path = log_of(ten_rows)
    return lambda: prepare(experiment_on(path), tmp_path)


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_development_and_test_lie_in_files_of_their_own(small: Callable[[], Dataset]) -> None:
    dataset = small()
    assert listing(dataset.folder) == [
        "development.parquet",
        "items.parquet",
        "manifest.json",
        "sealed_items.parquet",
        "sealed_test.parquet",
        "sealed_users.parquet",
        "users.parquet",
    ]
    assert len(dataset.development) == 8
    assert int(dataset.development.time.max()) < dataset.cuts.test[0]
    # Neither the user nor the item that appears in the test only has left a trace.
    assert (dataset.n_users, dataset.n_items) == (2, 3)
    assert dataset.users is not None
    assert dataset.items is not None
    assert dataset.users["_id"].to_list() == ["u1", "u2"]
    assert dataset.items["_id"].to_list() == ["a", "b", "c"]


def test_the_sealed_test_is_opened_by_its_own_module(small: Callable[[], Dataset]) -> None:
    dataset = small()
    test = load_sealed(dataset.folder)
    assert (test.user.tolist(), test.item.tolist()) == ([2, 2], [3, 0])
    assert int(test.time.min()) == dataset.cuts.test[0]
    assert int(test.time.max()) == dataset.cuts.test[1] - 1


def test_unsealing_joins_events_users_and_items_in_order(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    rows = [*ten_rows[:9], ("u1", "a", 1_600_000_900, "view")]
    whole = unseal(prepare(experiment_on(log_of(rows)), tmp_path))
    events = whole.development
    order = np.lexsort((events.kind, events.item, events.time, events.user))
    assert np.array_equal(order, np.arange(10))
    assert (whole.n_users, whole.n_items) == (3, 4)
    assert whole.users is not None
    assert whole.users["_id"].to_list() == ["u1", "u2", "u3"]


def test_a_dwell_comes_back_in_both_parts_and_is_counted_where_it_lacks(
    write: Callable[..., Path], experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    seconds = ["5", "", *"34567890"]
    lines = [f"{','.join(map(str, row))},{s}" for row, s in zip(ten_rows, seconds, strict=True)]
    path = write("\n".join(["user,item,time,kind,seconds", *lines]) + "\n")
    experiment = experiment_on(path, event={"dwell": "seconds"})
    dataset = prepare(experiment, tmp_path)
    assert read_manifest(dataset.folder).cleaning[0].without_dwell == 1
    whole = unseal(dataset).development
    assert whole.dwell is not None
    in_time = whole.dwell[np.argsort(whole.time)]
    np.testing.assert_array_equal(in_time, [float(s) if s else np.nan for s in seconds])


def test_the_search_path_works_without_the_tests_files(small: Callable[[], Dataset]) -> None:
    dataset = small()
    for name in ("sealed_test.parquet", "sealed_users.parquet", "sealed_items.parquet"):
        (dataset.folder / name).unlink()
    assert len(load_dataset(dataset.folder).development) == 8
    with pytest.raises(BadInput, match=r"sealed_test\.parquet: cannot be read"):
        load_sealed(dataset.folder)


def test_the_manifest_counts_what_happened(small: Callable[[], Dataset]) -> None:
    manifest = read_manifest(small().folder)
    assert manifest.cleaning[0].rows == manifest.cleaning[0].kept == 10
    assert manifest.duplicates == 0
    assert manifest.development.types == {"browse": 6, "purchase": 2}
    assert (manifest.sealed_test.events, manifest.sealed_test.users) == (2, 1)
    first, second = manifest.folds
    assert (first.training.events, first.validation.events) == (4, 2)
    assert (second.training.events, second.validation.events) == (6, 2)
    assert first.validation.start.iso == "2020-09-13T12:33:20+00:00"
    assert first.validation.start.microseconds == 1_600_000_400_000_000


def test_support_is_counted_before_each_cut_and_drops_nothing(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    folds = {"count": 2, "validation": 0.2, "test": 0.2}
    folds |= {"min_item_events": 2, "min_user_events": 3}
    rows = [*ten_rows[:5], ("u9", "new", 1_600_000_500, "view"), *ten_rows[6:]]
    dataset = prepare(experiment_on(log_of(rows), folds=folds), tmp_path)
    first, second = read_manifest(dataset.folder).folds
    # Before the first cut: a twice, b and c once; two events of u1 and u2 each.
    assert first.items_below_min_item_events == 2
    assert first.users_below_min_user_events == 2
    assert first.validation_events_of_new_users == 1
    assert first.validation_events_on_new_items == 1
    # Before the second: b and the new one once; u2 twice, u9 once.
    assert second.items_below_min_item_events == 2
    assert second.users_below_min_user_events == 2
    assert len(dataset.development) == 8


def test_shuffling_the_raw_rows_changes_nothing_that_is_prepared(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    rows = [*ten_rows, ten_rows[3]]
    shuffled = random.Random(1).sample(rows, len(rows))
    one = prepare(experiment_on(log_of(rows, "one.csv")), tmp_path)
    other = prepare(experiment_on(log_of(shuffled, "other.csv")), tmp_path)
    assert one.folder != other.folder
    assert one.fingerprint == other.fingerprint
    files = [read_manifest(dataset.folder).files for dataset in (one, other)]
    assert files[0] == files[1]


def test_changing_the_future_leaves_earlier_files_alone(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    changed = [
        *ten_rows[:8],
        ("new", "thing", 1_600_000_800, "buy"),
        ("u1", "a", 1_600_000_900, "buy"),
    ]
    one = prepare(experiment_on(log_of(ten_rows, "one.csv")), tmp_path)
    other = prepare(experiment_on(log_of(changed, "other.csv")), tmp_path)
    ours, theirs = (read_manifest(dataset.folder).files for dataset in (one, other))
    for name in ("development.parquet", "users.parquet", "items.parquet"):
        assert ours[name] == theirs[name]
    assert ours["sealed_test.parquet"] != theirs["sealed_test.parquet"]
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize("kind", ["users", "items"])
@pytest.mark.parametrize("dated", [False, True])
def test_one_changed_value_of_a_table_changes_the_fingerprint(
    kind: str,
    dated: bool,
    write: Callable[..., Path],
    log_of: LogOf,
    experiment_on: ExperimentOn,
    ten_rows: Rows,
    tmp_path: Path,
) -> None:
    lines = [f"{id_},easy,2020-01-01" for id_ in ("u1", "u2", "u3", "a", "b", "c", "d")]
    changed = [lines.index(f"{id_},easy,2020-01-01") for id_ in OF[kind]]
    if dated:  # of the sealed test
        lines += ["u3,easy,2020-09-13 12:40", "d,easy,2020-09-13 12:40"]
        changed.append(len(lines) - 2 if kind == "users" else len(lines) - 1)
    found = []
    for n, line in enumerate((None, *changed)):
        text = [row.replace("easy", "hard") if m == line else row for m, row in enumerate(lines)]
        path = write("\n".join(["id,level,at", *text]) + "\n", f"{n}.csv")
        table = {"path": str(path), "key": "id", "categorical": ["level"]}
        table |= {"valid_from": "at"} if dated else {}
        experiment = experiment_on(log_of(ten_rows), **{kind: table})
        found.append(prepare(experiment, tmp_path).fingerprint)
    assert len(set(found)) == len(found)


OF = {"users": ("u1", "u3"), "items": ("a", "d")}  # of development, and of the sealed test


def test_one_changed_event_changes_the_fingerprint(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    changed = [(u, i, t + (n == 2), k) for n, (u, i, t, k) in enumerate(ten_rows)]
    one = prepare(experiment_on(log_of(ten_rows, "one.csv")), tmp_path)
    other = prepare(experiment_on(log_of(changed, "other.csv")), tmp_path)
    assert one.fingerprint != other.fingerprint


def test_what_was_prepared_is_not_prepared_again(
    small: Callable[[], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = small()
    monkeypatch.setattr(module, "_build", lambda *_: pytest.fail("prepared again"))
    second = small()
    assert second.folder == first.folder
    assert second.fingerprint == first.fingerprint
    assert np.array_equal(second.development.time, first.development.time)


def test_two_preparations_write_the_same_bytes(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    experiment = experiment_on(log_of(ten_rows))
    one, other = prepare(experiment, tmp_path / "one"), prepare(experiment, tmp_path / "other")
    assert listing(one.folder) == listing(other.folder) != []
    for name in listing(one.folder):
        assert (one.folder / name).read_bytes() == (other.folder / name).read_bytes()


@pytest.mark.parametrize("key", ["data", "folds", "raw"])
def test_a_changed_input_gets_a_folder_of_its_own(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path, key: str
) -> None:
    path = log_of(ten_rows)
    changes: dict[str, Any] = {
        "data": {"data": {"times": {"earliest": "1995-01-01"}}},
        "folds": {"folds": {"count": 1, "validation": 0.2, "test": 0.2}},
        "raw": {},
    }
    before = prepare(experiment_on(path), tmp_path)
    if key == "raw":
        log_of(ten_rows[:-1])
    assert prepare(experiment_on(path, **changes[key]), tmp_path).folder != before.folder


def test_keys_that_do_not_shape_the_data_do_not_prepare_it_again(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    path = log_of(ten_rows)
    one = prepare(experiment_on(path), tmp_path)
    assert prepare(experiment_on(path, seed=5, budget={"trials": 2}), tmp_path).folder == one.folder


@pytest.mark.parametrize(
    "name", ["development.parquet", "sealed_test.parquet", "users.parquet", "items.parquet"]
)
def test_a_prepared_file_that_was_changed_is_refused_by_name(
    small: Callable[[], Dataset], name: str
) -> None:
    path = small().folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInput, match=rf"{name}: was changed after it was prepared"):
        small()
    load = load_sealed if name.startswith("sealed") else load_dataset
    with pytest.raises(BadInput, match=rf"{name}: was changed after it was prepared"):
        load(path.parent)


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", '{"recsweep_format": 1'])
def test_a_damaged_manifest_is_refused(small: Callable[[], Dataset], content: str) -> None:
    folder = small().folder
    (folder / "manifest.json").write_text(content)
    with pytest.raises(BadInput, match=r"manifest\.json: is no manifest of this version"):
        load_dataset(folder)


def test_a_manifest_of_another_format_or_none_is_refused(small: Callable[[], Dataset]) -> None:
    path = small().folder / "manifest.json"
    manifest = json.loads(path.read_text())
    path.write_text(json.dumps(manifest | {"recsweep_format": 99}))
    with pytest.raises(BadInput, match="has format 99"):
        load_dataset(path.parent)
    path.unlink()
    with pytest.raises(BadInput, match="run recsweep prepare"):
        load_dataset(path.parent)


def test_a_failure_leaves_nothing_half_written(
    small: Callable[[], Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "items.parquet")

    monkeypatch.setattr(prepared, "write_table", full)
    with pytest.raises(WorkFailed, match=r"items\.parquet: cannot be written \(No space left"):
        small()
    assert listing(tmp_path / "data") == []


def test_another_process_may_finish_first(
    small: Callable[[], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = small()
    monkeypatch.setattr(Path, "exists", lambda path: False)
    build = module._build

    def again(folder: Path, *rest: Any) -> None:
        monkeypatch.undo()
        build(folder, *rest)

    monkeypatch.setattr(module, "_build", again)
    assert small().fingerprint == first.fingerprint
    assert listing(first.folder.parent) == [first.folder.name]


def test_a_log_of_which_nothing_is_left_says_why(
    log_of: LogOf, experiment_on: ExperimentOn, tmp_path: Path
) -> None:
    path = log_of([("u", "a", 1_600_000_000, "ad"), ("", "a", 1_600_000_000, "view")])
    with pytest.raises(BadInput) as caught:
        prepare(experiment_on(path), tmp_path)
    message = str(caught.value)
    assert message.startswith("small: no event is left")
    assert "has 2 rows: 1 no user id, 1 event type not in the mapping" in message
    with pytest.raises(BadInput, match="has 0 rows"):
        prepare(experiment_on(log_of([])), tmp_path)
    assert listing(tmp_path / "data") == []


def test_a_log_too_small_for_its_folds_is_refused(
    log_of: LogOf, experiment_on: ExperimentOn, tmp_path: Path
) -> None:
    path = log_of([("u", "a", 1_600_000_000, "view")])
    with pytest.raises(BadInput, match="nothing to train on"):
        prepare(experiment_on(path), tmp_path)


def test_several_logs_are_joined_on_one_clock(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    whole = prepare(experiment_on(log_of(ten_rows, "whole.csv")), tmp_path)
    paths = [log_of(ten_rows[half::2], f"half{half}.csv") for half in (0, 1)]
    base = experiment_on(paths[0]).model_dump(mode="json")
    tables = [{**base["data"]["events"][0], "path": str(path)} for path in paths]
    experiment = Experiment.model_validate(base | {"data": base["data"] | {"events": tables}})
    joined = prepare(experiment, tmp_path)
    assert joined.fingerprint == whole.fingerprint
    assert [table.kept for table in read_manifest(joined.folder).cleaning] == [5, 5]


def test_text_and_parquet_logs_prepare_the_same(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    text = log_of(ten_rows)
    parquet = tmp_path / "log.parquet"
    pl.read_csv(text).write_parquet(parquet)
    one = prepare(experiment_on(text), tmp_path)
    other = prepare(experiment_on(parquet, event={"format": "parquet"}), tmp_path)
    assert one.fingerprint == other.fingerprint


def test_tables_are_divided_like_the_log_and_counted(
    write: Callable[..., Path], log_of: LogOf, experiment_on: ExperimentOn,
    ten_rows: Rows, tmp_path: Path,
) -> None:  # fmt: skip
    items = write("id,title,hours\nd,Late,9\na,First,1\nb,Second,\nx,Never,3\n", "items.csv")
    table = {"path": str(items), "key": "id", "label": "title", "numeric": ["hours"]}
    dataset = prepare(experiment_on(log_of(ten_rows), items=table), tmp_path)
    assert dataset.items is not None
    assert dataset.items["_label"].to_list() == ["First", "Second", None]
    assert dataset.items["hours"].to_list() == [1, None, None]
    whole = unseal(dataset)
    assert whole.items is not None
    assert whole.items["_label"].to_list() == ["First", "Second", None, "Late"]
    rows = read_manifest(dataset.folder).item_table
    assert rows is not None
    assert (rows.rows, rows.without_event, rows.ids_without_row) == (4, 1, 1)


def test_features_that_are_not_declared_are_refused_before_anything_is_read(
    experiment_on: ExperimentOn, tmp_path: Path
) -> None:
    experiment = experiment_on(tmp_path / "missing.csv", features=["hours"])
    with pytest.raises(BadInput, match="features: 'hours' is no declared column"):
        prepare(experiment, tmp_path)
    assert listing(tmp_path) == []


def test_events_come_back_as_they_were(small: Callable[[], Dataset]) -> None:
    events = small().development
    assert [KINDS[kind] for kind in events.kind[:4]] == ["browse", "browse", "browse", "purchase"]
    assert events.time.dtype == np.int64
    assert events.user.dtype == events.item.dtype == np.int32
    assert events.kind.dtype == np.int8


def test_rows_of_a_dated_table_that_are_valid_only_in_the_test_are_sealed_with_it(
    write: Callable[..., Path], log_of: LogOf, experiment_on: ExperimentOn,
    ten_rows: Rows, tmp_path: Path,
) -> None:  # fmt: skip
    times = ["2020-01-01", "2020-09-13 12:26:50", "2021-01-01", "2020-02-01"]
    rows = zip("aaab", range(1, 5), times, strict=True)
    text = "id,price,since\n" + "".join(f"{i},{p},{t}\n" for i, p, t in rows)
    table = {"path": str(write(text, "items.csv")), "key": "id", "numeric": ["price"]}
    experiment = experiment_on(log_of(ten_rows), items={**table, "valid_from": "since"})
    dataset = prepare(experiment, tmp_path)
    assert dataset.item_rows is not None
    assert dataset.item_rows["price"].to_list() == [1.0, 2.0, 4.0]
    whole = unseal(dataset).item_rows
    assert whole is not None
    assert sorted(whole["price"]) == [1.0, 2.0, 3.0, 4.0]


def test_a_key_that_came_later_leaves_what_was_prepared_before_as_it_is(
    write: Callable[..., Path], log_of: LogOf, experiment_on: ExperimentOn,
    ten_rows: Rows, tmp_path: Path,
) -> None:  # fmt: skip
    items = write("id,hours\na,9\n", "items.csv")
    table = {"path": str(items), "key": "id", "numeric": ["hours"]}
    before = prepare(experiment_on(log_of(ten_rows), items=table), tmp_path)
    defaults = {**table, "text": [], "immutable": False, "valid_from": None}
    assert (
        prepare(experiment_on(log_of(ten_rows), items=defaults), tmp_path).folder == before.folder
    )
    assert "immutable" not in (before.folder / "manifest.json").read_text()


def test_a_log_in_several_files_is_the_log_in_one(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    one = prepare(experiment_on(log_of(ten_rows)), tmp_path)
    (tmp_path / "days").mkdir()
    for n in range(3):
        log_of(ten_rows[n::3], f"days/{n}.csv")
    for path in (tmp_path / "days", tmp_path / "days" / "*.csv"):
        several = prepare(experiment_on(path), tmp_path)
        assert several.fingerprint == one.fingerprint
        manifest = read_manifest(several.folder)
        assert manifest.cleaning[0].rows == 10
        assert manifest.raw[0].path == str(path)
        size = sum(file.stat().st_size for file in (tmp_path / "days").iterdir())
        assert manifest.raw[0].bytes == size


def test_another_file_in_the_folder_is_another_preparation(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    (tmp_path / "days").mkdir()
    log_of(ten_rows, "days/1.csv")
    before = prepare(experiment_on(tmp_path / "days"), tmp_path)
    log_of([("u1", "z", 1_600_000_050, "view")], "days/2.csv")
    after = prepare(experiment_on(tmp_path / "days"), tmp_path)
    assert before.folder != after.folder
    assert len(after.development) + len(load_sealed(after.folder)) == 11


def test_an_error_names_the_file_of_the_folder_and_its_row(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    (tmp_path / "days").mkdir()
    log_of(ten_rows, "days/1.csv")
    log_of([("u1", "z", 1_600_000_050, "view"), ("u1", "z", "soon", "view")], "days/2.csv")
    with pytest.raises(BadInput, match=r"days/2\.csv: row 2: time is 'soon'"):
        prepare(experiment_on(tmp_path / "days"), tmp_path)


def test_what_other_rules_prepared_is_not_taken_for_ours(
    small: Callable[[], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = small()
    monkeypatch.setattr(manifest_module, "RULES", 1)
    theirs = small()
    assert ours.folder != theirs.folder
    assert load_dataset(ours.folder).fingerprint == theirs.fingerprint


@pytest.mark.parametrize(
    ("factor", "declared", "right"),
    [
        (1000, "unix", "unix_ms"),
        (10**6, "unix", "unix_us"),
        (10**9, "unix", "unix_ns"),
        (1, "unix_ms", "unix"),
        (10**9, "unix_ms", "unix_ns"),
    ],
)
def test_times_in_another_unit_are_told_by_name(
    log_of: LogOf,
    experiment_on: ExperimentOn,
    ten_rows: Rows,
    tmp_path: Path,
    factor: int,
    declared: str,
    right: str,
) -> None:
    path = log_of([(u, i, t * factor, kind) for u, i, t, kind in ten_rows])
    with pytest.raises(BadInput, match=f"10 time outside the limits; set time_format: {right},"):
        prepare(experiment_on(path, event={"time_format": declared}), tmp_path)
    found = prepare(experiment_on(path, event={"time_format": right}), tmp_path)
    assert len(found.development) == 8


@pytest.mark.parametrize(("known", "warned"), [("a", True), ("ab", False), ("abcd", False)])
def test_a_table_that_knows_less_than_half_of_the_log_is_warned_of(
    known: str,
    warned: bool,
    write: Callable[..., Path],
    log_of: LogOf,
    experiment_on: ExperimentOn,
    ten_rows: Rows,
    tmp_path: Path,
) -> None:
    path = write("id,level\n" + "".join(f"{item},easy\n" for item in known), "items.csv")
    items = {"path": str(path), "key": "id", "categorical": ["level"], "immutable": True}
    dataset = prepare(experiment_on(log_of(ten_rows), items=items), tmp_path)
    found = caveats(read_manifest(dataset.folder))
    text = f"{path}: only 1 of 4 courses of the log have a row; features of all others are missing"
    assert found == ([text] if warned else [])


def test_where_rows_are_the_order_a_copy_of_a_file_is_refused(
    experiment_on: Callable[..., Experiment], tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    text = "user,item,kind\n" + "".join(f"u{n % 5},c{n % 7},view\n" for n in range(40))
    for name in ("log.csv", "log (1).csv"):
        (tmp_path / "logs" / name).write_text(text)
    experiment = experiment_on(
        tmp_path / "logs", event={"time": None, "order": "row"}, folds={"rule": "leave_one_out"}
    )
    with pytest.raises(BadInput, match=r"log\.csv: is a copy of .*log \(1\)\.csv"):
        prepare(experiment, tmp_path)


def test_files_whose_names_number_them_otherwise_are_refused_only_where_rows_are_the_order(
    experiment_on: Callable[..., Experiment], tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    for day in (2, 10):
        rows = "".join(f"u{n % 5},c{(n + day) % 7},{day}{n:02}000000,view\n" for n in range(40))
        (tmp_path / "logs" / f"day-{day}.csv").write_text("user,item,time,kind\n" + rows)
    rows_in_order = {"time": None, "order": "row"}
    experiment = experiment_on(
        tmp_path / "logs", event=rows_in_order, folds={"rule": "leave_one_out"}
    )
    with pytest.raises(BadInput, match=r"day-2\.csv: is read after .*day-10\.csv, by their names"):
        prepare(experiment, tmp_path)
    by_time = experiment_on(tmp_path / "logs", data={"times": {"earliest": "1970-01-01T00:00:00Z"}})
    assert read_manifest(prepare(by_time, tmp_path).folder).cleaning[0].kept == 80


def study_of_texts(folder: Path) -> Experiment:
    rows = [f"{word} {n},{n % 2}" for n, word in enumerate(["fine", "dull"] * 10)]
    (folder / "texts.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    table = {"path": str(folder / "texts.csv"), "text": "text", "label": {"column": "label"}}
    vectors = {"path": str(folder / "words.txt")}
    return Experiment.model_validate(
        {
            "study": "tiny",
            "task": "text",
            "data": {"name": "tiny", "texts": [table], "word_vectors": vectors},
            "folds": {"rule": "stratified", "count": 2, "test": 0.2},
            "families": ["gru"],
        }
    )


def test_the_data_are_others_with_other_vectors_and_words_of_the_test_alone_are_sealed(
    tmp_path: Path,
) -> None:
    numbers = "\n".join(f"{n} {n} 1" for n in range(10, 20))
    (tmp_path / "words.txt").write_text(f"fine 1 2\ndull 3 4\nunheard 5 6\n{numbers}\n")
    one = prepare(study_of_texts(tmp_path), tmp_path)
    assert one.word_vectors is not None
    known = set(one.word_vectors["_id"])
    assert one.users is not None
    said = {word for text in one.users["_text"] for word in text.split()}
    assert known == said & ({"fine", "dull"} | {str(n) for n in range(10, 20)})
    whole = unseal(one)
    assert whole.word_vectors is not None
    assert set(whole.word_vectors["_id"]) == {"fine", "dull", *map(str, range(10, 20))}
    (tmp_path / "words.txt").write_text(f"fine 1 2\ndull 3 5\nunheard 5 6\n{numbers}\n")
    assert prepare(study_of_texts(tmp_path), tmp_path).fingerprint != one.fingerprint
    (tmp_path / "words.txt").write_text("unheard 5 6\n")
    with pytest.raises(BadInput, match="has a vector of no word or character of the texts"):
        prepare(study_of_texts(tmp_path), tmp_path)


def test_a_row_that_is_known_from_the_tests_first_moment_on_is_sealed_and_one_without_a_time_isnt(
    write: Callable[..., Path], log_of: LogOf, experiment_on: ExperimentOn,
    ten_rows: Rows, tmp_path: Path,
) -> None:  # fmt: skip
    """The test begins at 12:40:00."""
    path = write("id,price,since\na,1,2020-09-13 12:39:59\na,2,2020-09-13 12:40:00\n", "i.csv")
    table: dict[str, Any] = {"path": str(path), "key": "id", "numeric": ["price"]}
    dataset = prepare(
        experiment_on(log_of(ten_rows), items={**table, "valid_from": "since"}), tmp_path
    )
    assert dataset.cuts.test[0] == 1_600_000_800_000_000
    assert dataset.item_rows is not None
    assert dataset.item_rows["price"].to_list() == [1.0]
    always = write("id,price\na,1\nd,2\n", "always.csv")
    table |= {"path": str(always), "immutable": True}
    dataset = prepare(experiment_on(log_of(ten_rows), items=table), tmp_path)
    assert dataset.item_rows is not None
    assert dataset.item_rows.select("_id", "price").rows() == [("a", 1.0), ("d", 2.0)]


def test_a_period_of_the_manifest_begins_where_the_one_before_ends(
    small: Callable[[], Dataset],
) -> None:
    manifest = read_manifest(small().folder)
    periods = [manifest.development, manifest.sealed_test]
    moments = [(p.start.microseconds, p.end.microseconds) for p in periods]
    second = 10**6
    first, cut = 1_600_000_000 * second, 1_600_000_800 * second
    assert moments == [(first, cut), (cut, cut + 100 * second + 1)]
    assert [fold.name for fold in manifest.folds] == ["fold0", "fold1"]
    assert {fold.training.start.microseconds for fold in manifest.folds} == {first}


def test_the_manifest_names_five_types_without_a_meaning_and_what_came_twice(
    log_of: LogOf, experiment_on: ExperimentOn, ten_rows: Rows, tmp_path: Path
) -> None:
    others = [
        ("u1", "a", 1_600_000_000, kind) for n, kind in enumerate("fedcba", 1) for _ in range(n)
    ]
    path = log_of([*ten_rows, ten_rows[0], *others])
    manifest = read_manifest(prepare(experiment_on(path), tmp_path).folder)
    (rows,) = manifest.cleaning
    assert list(rows.unmapped_types.items()) == [("a", 6), ("b", 5), ("c", 4), ("d", 3), ("e", 2)]
    assert (rows.rows, rows.kept, rows.without_dwell, manifest.duplicates) == (32, 11, 0, 1)


def test_the_manifest_names_every_raw_file_logs_first(
    write: Callable[..., Path], log_of: LogOf, experiment_on: ExperimentOn,
    ten_rows: Rows, tmp_path: Path,
) -> None:  # fmt: skip
    log = log_of(ten_rows)
    users, items = write("id,level\nu1,1\n", "users.csv"), write("id,level\na,1\n", "items.csv")
    tables: dict[str, Any] = {
        name: {"path": str(path), "key": "id", "categorical": ["level"]}
        for name, path in (("users", users), ("items", items))
    }
    dataset = prepare(experiment_on(log, **tables), tmp_path)
    manifest = read_manifest(dataset.folder)
    assert [file.path for file in manifest.raw] == [str(log), str(users), str(items)]
    assert [file.bytes for file in manifest.raw] == [p.stat().st_size for p in (log, users, items)]
    assert (dataset.folder / "manifest.json").read_text().endswith("\n}\n")


def test_a_dwell_that_only_one_of_two_logs_has_is_not_known_in_the_other(
    write: Callable[..., Path], log_of: LogOf, experiment_on: ExperimentOn,
    ten_rows: Rows, tmp_path: Path,
) -> None:  # fmt: skip
    lines = [f"{','.join(map(str, row))},{n}" for n, row in enumerate(ten_rows[:5])]
    first = write("\n".join(["user,item,time,kind,seconds", *lines]) + "\n", "first.csv")
    plain = experiment_on(log_of(ten_rows[5:], "second.csv")).model_dump(mode="json")
    (table,) = plain["data"]["events"]
    tables = [{**table, "path": str(first), "dwell": "seconds"}, table]
    experiment = Experiment.model_validate(plain | {"data": plain["data"] | {"events": tables}})
    whole = unseal(prepare(experiment, tmp_path)).development
    assert whole.dwell is not None
    in_time = whole.dwell[np.argsort(whole.time)]
    np.testing.assert_array_equal(in_time, [0, 1, 2, 3, 4, *[np.nan] * 5])


def test_a_folder_that_cannot_get_its_name_is_told_of_and_nothing_is_left(
    small: Callable[[], Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, *_: object) -> None:
        raise OSError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(WorkFailed, match="cannot be written \\(Permission denied"):
        small()
    assert listing(tmp_path / "data") == []


def test_ids_of_a_log_are_looked_at_and_those_that_we_gave_are_not(
    write: Callable[..., Path], log_of: LogOf, experiment_on: ExperimentOn,
    ten_rows: Rows, tmp_path: Path,
) -> None:  # fmt: skip
    spaced = [*ten_rows, ("u1 ", "a", 1_600_000_050, "view"), ("u1", "b ", 1_600_000_060, "view")]
    log = prepare(experiment_on(log_of(spaced)), tmp_path)
    told = read_manifest(log.folder).odd_ids
    assert [line.split(" have ")[0] for line in told] == ["1 learners", "1 courses"]
    rows = [f"{n},r{n % 3},{n % 2}" for n in range(40)]
    table = {
        "path": str(write("\n".join(["pages,region,bought", *rows]) + "\n", "sessions.csv")),
        "label": "bought",
        "positive": ["1"],
        "numeric": ["pages"],
    }
    sessions = experiment_of(
        task="purchase",
        data={"name": "shop", "sessions": table},
        folds={"rule": "stratified", "count": 2, "test": 0.25},
    )
    dataset = prepare(sessions, tmp_path)
    manifest = read_manifest(dataset.folder)
    assert manifest.odd_ids == ()
    assert [file.path for file in manifest.raw] == [table["path"]]
    assert (manifest.development.events, manifest.sealed_test.events) == (30, 10)
    assert dataset.users is not None
    assert dataset.users.columns == ["_id", "_label", "pages"]


def test_columns_of_texts_and_of_sessions_may_be_features(tmp_path: Path) -> None:
    """Whether a feature is declared is checked first, so here the files needn't be there."""
    column = {"path": str(tmp_path / "none.csv"), "numeric": ["size"]}
    folds = {"rule": "stratified", "count": 2}
    texts = {**column, "text": "text", "label": {"column": "label"}}
    sessions = {**column, "label": "bought", "positive": ["1"]}
    for task, data in (("text", {"texts": [texts]}), ("purchase", {"sessions": sessions})):
        whole = {"name": "tiny", **data}
        for feature, told in (
            ("size", r"none\.csv: cannot be read"),
            ("sise", "no declared column"),
        ):
            asked = experiment_of(task=task, data=whole, folds=folds, features=[feature])
            with pytest.raises(BadInput, match=told):
                prepare(asked, tmp_path)
