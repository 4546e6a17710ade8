"""A simulated log as the raw files of an experiment."""

import hashlib
from pathlib import Path

import polars as pl
import pytest

from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.raw import simulated
from recsweep.data.simulator.simulate import simulate
from recsweep.errors import BadInput

SMALL = SimulatorSettings(learners=5, courses=10)


@pytest.mark.parametrize("table", ["events", "users", "items", "exposures"])
def test_each_table_is_a_csv_in_a_folder_that_its_settings_name(table: str, tmp_path: Path) -> None:
    file = simulated(f"simulator:{table}", SMALL, tmp_path)
    digest = hashlib.sha256(SMALL.model_dump_json().encode()).hexdigest()[:12]
    assert file == tmp_path / f"synthetic-{digest}" / f"synthetic_{table}.csv"
    made: pl.DataFrame = getattr(simulate(SMALL), table)
    assert file.read_text() == made.write_csv()


def test_other_settings_have_another_folder(tmp_path: Path) -> None:
    other = SimulatorSettings(learners=5, courses=10, seed=1)
    files = [simulated("simulator:events", s, tmp_path) for s in (SMALL, other)]
    assert files[0].parent != files[1].parent
    assert files[0].read_bytes() != files[1].read_bytes()


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    simulated("simulator:events", SMALL, tmp_path).write_text("kept")
    simulated("simulator:users", SMALL, tmp_path)
    assert simulated("simulator:events", SMALL, tmp_path).read_text() == "kept"


def test_half_a_folder_is_made_anew(tmp_path: Path) -> None:
    file = simulated("simulator:events", SMALL, tmp_path)
    before = file.read_bytes()
    file.unlink()
    (file.parent / "synthetic_users.csv").write_text("torn")
    assert simulated("simulator:events", SMALL, tmp_path).read_bytes() == before
    assert (file.parent / "synthetic_users.csv").read_text() != "torn"


def test_a_table_that_is_not_made_and_a_log_without_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^simulator:user: the simulator makes no such .*users"):
        simulated("simulator:user", SMALL, tmp_path)
    with pytest.raises(BadInput, match=r"^simulator:users: needs data\.simulator"):
        simulated("simulator:users", None, tmp_path)
    assert list(tmp_path.iterdir()) == []
