"""A simulated log on disk: all that is written, and nothing left by what fails."""

import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from recsweep.config.files import read_yaml
from recsweep.config.schema import SimulatorSettings
from recsweep.data.simulator.files import write
from recsweep.data.simulator.simulate import SimulatedLog, simulate
from recsweep.errors import BadInput

TABLES = ("events", "users", "items", "exposures")


@pytest.fixture(scope="module")
def log() -> SimulatedLog:
    return simulate(SimulatorSettings(learners=20, courses=15))


@pytest.mark.parametrize("format_", ["parquet", "csv"])
def test_the_four_tables_are_read_back_as_they_were(
    log: SimulatedLog, tmp_path: Path, format_: str
) -> None:
    write(log, tmp_path / "made", format_)  # type: ignore[arg-type]
    read = pl.read_parquet if format_ == "parquet" else pl.read_csv
    for name in TABLES:
        assert read(tmp_path / f"made/synthetic_{name}.{format_}").equals(getattr(log, name))
    names = {f"synthetic_{name}.{format_}" for name in TABLES}
    assert {path.name for path in (tmp_path / "made").iterdir()} == names | {"SYNTHETIC.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_parquet_is_written_where_no_format_is_named(log: SimulatedLog, tmp_path: Path) -> None:
    assert write(log, tmp_path / "deep/er/made") == tmp_path / "deep/er/made/experiment.yaml"
    origin = json.loads(
        pq.read_schema(tmp_path / "deep/er/made/synthetic_users.parquet").metadata[b"recsweep"]
    )
    assert origin == {"synthetic": True, "settings": log.settings.model_dump()}


def test_the_truth_says_what_was_simulated_and_how_much(log: SimulatedLog, tmp_path: Path) -> None:
    write(log, tmp_path / "made")
    text = (tmp_path / "made/SYNTHETIC.json").read_text()
    assert text.startswith('{\n  "synthetic": true')
    assert text.endswith("}\n")
    kinds = log.events["event"].to_list()
    rows = {kind: kinds.count(kind) for kind in ("browse", "favourite", "purchase", "comment")}
    assert json.loads(text) == {
        "synthetic": True,
        "settings": log.settings.model_dump(),
        "best_log_loss": log.best_log_loss,
        "rows": {**rows, "learners": 20, "courses": 15},
    }


@pytest.mark.parametrize("format_", ["parquet", "csv"])
def test_an_experiment_names_the_tables_their_columns_and_the_families(
    log: SimulatedLog, tmp_path: Path, format_: str
) -> None:
    path = write(log, tmp_path / "made", format_, ["gru", "markov"])  # type: ignore[arg-type]
    note, blank, first = path.read_text().splitlines()[:3]
    assert note.startswith("# SYNTHETIC data")
    assert (blank, first) == ("", "study: synthetic")
    found = read_yaml(path)
    assert found["families"] == {
        "gru": "search_spaces/gru.yaml",
        "markov": "search_spaces/markov.yaml",
    }
    data = found["data"]
    (events,) = data["events"]
    for name, table in (("events", events), ("users", data["users"]), ("items", data["items"])):
        assert table["path"] == (tmp_path / f"made/synthetic_{name}.{format_}").as_posix()
        assert table["format"] == format_
        columns = {*getattr(log, name).columns}
        named = [*table.get("categorical", []), *table.get("numeric", []), *table.get("tags", {})]
        named += [table[key] for key in ("user", "item", "time", "key", "label") if key in table]
        assert columns >= {*named}
    assert events["type"]["values"] == {
        kind: kind for kind in ("browse", "favourite", "purchase", "comment")
    }
    assert "exposures" not in path.read_text()


def test_a_folder_that_exists_is_refused_and_left_alone(log: SimulatedLog, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=f"^{tmp_path}: exists; give another folder"):
        write(log, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not list(tmp_path.parent.glob(f".{tmp_path.name}-*"))


def test_of_a_log_that_cannot_be_written_whole_nothing_stays(
    log: SimulatedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(BadInput, match=r"made: cannot be written \(No space left on device\)$"):
        write(log, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []
