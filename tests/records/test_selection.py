import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import experiment_of

from recsweep.config.files import read_yaml
from recsweep.errors import BadInput
from recsweep.records.digests import edited
from recsweep.records.selection import BestFile, DataRecord, read_best, write_best


def best(**changes: object) -> BestFile:
    keys: dict[str, object] = {
        "command": "recsweep reproduce results/test/best/gru.yaml",
        "study": "test",
        "family": "gru",
        "kind": "gru",
        "trial": "gru-0003",
        "rule": "best_mean",
        "config": {"learning_rate": 1e-05, "depth": 1, "loss": "bpr", "tied": False, "no": "no"},
        "seed": 3,
        "epochs": 4,
        "metric": "ndcg@10",
        "value": 0.1 + 0.2,
        "metrics": {"ndcg@10": (1 / 3, 2 / 3), "mrr@5": (1e-300, 0.0)},
        "converged": True,
        "near_edge": ("a: b",),
        "data": DataRecord(dataset="d", fingerprint="0e1", raw={"log é.csv": "00"}),
        "experiment": experiment_of(),
        "environment": {"python": "3.10", "code": {"commit": None}, "threads": 1},
    }
    return BestFile.model_validate({**keys, **changes})


def test_a_best_file_reads_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "best" / "gru.yaml"
    write_best(best(), path)
    again = read_best(path)
    assert again.model_copy(update={"digests": {}}) == best()
    assert edited(BestFile, read_yaml(path)) == []
    assert type(again.config["depth"]) is int
    assert again.config["no"] == "no"  # not YAML's false


def test_its_first_line_is_the_command_that_rebuilds_it(tmp_path: Path) -> None:
    write_best(best(), tmp_path / "gru.yaml")
    lines = (tmp_path / "gru.yaml").read_text().splitlines()
    assert lines[0] == "# recsweep reproduce results/test/best/gru.yaml"
    assert "config:" in lines


@settings(max_examples=25)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_keep_every_digit(tmp_path_factory: pytest.TempPathFactory, value: float) -> None:
    path = tmp_path_factory.mktemp("best") / "gru.yaml"
    write_best(best(value=value, config={"x": value}), path)
    again = read_best(path)
    assert (again.value, again.config["x"]) == (value, value)


def test_a_key_that_was_edited_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gru.yaml"
    write_best(best(), path)
    path.write_text(path.read_text().replace("epochs: 4", "epoch: 4"))
    with pytest.raises(BadInput, match=r"unknown key 'epoch'; did you mean 'epochs'\?"):
        read_best(path)


def test_the_schema_in_the_documents_is_up_to_date() -> None:
    """To renew it, write this text to the file."""
    schema = json.dumps(BestFile.model_json_schema(), indent=1) + "\n"
    path = Path(__file__).parents[2] / "docs" / "best.schema.json"
    assert path.read_text("utf-8") == schema


def test_a_family_that_its_own_experiment_lacks_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gru.yaml"
    write_best(best(family="lstm"), path)
    with pytest.raises(BadInput, match=r"family: lstm is not among experiment\.families"):
        read_best(path)
