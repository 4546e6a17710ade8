import os
from pathlib import Path

import polars as pl
import pytest

from recsweep.config.files import load_experiment
from recsweep.data.manifest import read_manifest
from recsweep.data.prepare import prepare
from recsweep.errors import WorkFailed

ROOT = Path(__file__).parents[2]
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.yaml"))
DATA = Path(os.environ.get("RECSWEEP_DATA", ROOT.parent / "shared" / "data"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_fits_the_schema(path: Path) -> None:
    experiment = load_experiment(path)
    assert experiment.study == path.stem


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiments_first_lines_hold_its_command(path: Path) -> None:
    command = (
        "make sweep" if path.stem == "default" else f"make sweep EXPERIMENT=experiments/{path.name}"
    )
    header = [line for line in path.read_text("utf-8").splitlines()[:6] if line.startswith("#")]
    assert any(line.endswith(command) for line in header)


@pytest.mark.parametrize(
    ("name", "rows", "duplicates", "users", "items"),
    [
        ("mars", 25_567, 359, 3_007, 958),
        ("movietweetings", 100_000, 0, 16_554, 10_506),
    ],
)
def test_a_real_log_prepares_to_its_known_counts(
    name: str, rows: int, duplicates: int, users: int, items: int,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if not DATA.exists():
        pytest.skip("set RECSWEEP_DATA to the folder that holds the raw data")
    monkeypatch.setenv("RECSWEEP_DATA", str(DATA))
    dataset = prepare(load_experiment(ROOT / f"experiments/{name}.yaml"), tmp_path)
    manifest = read_manifest(dataset.folder)
    assert sum(table.rows for table in manifest.cleaning) == rows
    assert manifest.duplicates == duplicates
    kept = manifest.development.events + manifest.sealed_test.events
    assert kept == rows - duplicates
    table = manifest.item_table
    assert table is not None
    assert table.ids_without_row == 0
    assert table.rows - table.without_event == items
    known = dataset.n_users + pl.read_parquet(dataset.folder / "sealed_users.parquet").height
    assert known == users


@pytest.mark.slow
def test_the_default_data_is_fetched_and_prepared(tmp_path: Path) -> None:
    try:
        dataset = prepare(load_experiment(ROOT / "experiments/default.yaml"), tmp_path)
    except WorkFailed as error:
        pytest.skip(str(error))
    manifest = read_manifest(dataset.folder)
    assert manifest.development.events + manifest.sealed_test.events == 100_000
    assert manifest.user_table is not None
    assert manifest.user_table.rows == 943
    assert dataset.items is not None
    assert dataset.items["release_year:token"].drop_nulls().is_between(1900, 1998).all()
