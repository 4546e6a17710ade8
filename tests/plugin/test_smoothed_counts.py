"""A family that another package brings, on both tasks, with nothing of ours edited."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from fuzz.command import recsweep as here
from plugins import installed, recsweep

from recsweep.models.registry import families
from recsweep.testing import check_family, checks

KINDS = ("browse", "favourite", "purchase", "comment")
EXPERIMENT: dict[str, Any] = {
    "study": "counts",
    "data": {
        "name": "counts",
        "simulator": {"learners": 150, "courses": 30},
        "events": [
            {
                "path": "simulator:events", "user": "user_id", "item": "item_id",
                "time": "time", "time_format": "unix_ms",
                "type": {"column": "event", "values": {kind: kind for kind in KINDS}},
            }
        ],
    },
    "folds": {"count": 2, "validation": 0.2, "test": 0.2},
    "budget": {"trials": 2, "epochs": 1},
    "stopping": {"grace_epochs": 1},
    "tracking": {"wandb": "off"},
    "resources": {"workers": 1},
    "confirm": {"seeds": 3, "resamples": 1000},
}  # fmt: skip
FLOORS = {"next_item": "popularity", "purchase": "base_rate"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed("smoothed_counts", tmp_path_factory)


@pytest.mark.long  # the task that another package brings is swept with families of its own
@pytest.mark.parametrize("task", FLOORS)
def test_it_is_swept_confirmed_and_reported(site: Path, tmp_path: Path, task: str) -> None:
    experiment = {**EXPERIMENT, "task": task, "families": ["smoothed_counts", FLOORS[task]]}
    (tmp_path / "counts.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False))
    done = recsweep(site, tmp_path, "sweep", "counts.yaml")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "results/counts"
    verdicts = json.loads((folder / "verdicts.json").read_text())
    family = verdicts["families"]["smoothed_counts"]
    assert family["deterministic"]  # one refit stands for three
    assert family["seeds"] == verdicts["families"][FLOORS[task]]["seeds"]
    assert "smoothed_counts" in (folder / "report.html").read_text("utf-8")
    assert (folder / "best/smoothed_counts.yaml").exists()


def test_it_keeps_the_contract(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    families()  # are remembered: this process shall not find the package later
    monkeypatch.syspath_prepend(site)
    family = import_module("recsweep_smoothed_counts").FAMILY
    check_family(family)
    assert sorted({str(check.case) for check in checks(family)}) == [
        "smoothed_counts next_item defaults",
        "smoothed_counts purchase defaults",
    ]


def test_a_family_that_is_not_installed_is_named(tmp_path: Path) -> None:
    experiment = {**EXPERIMENT, "families": ["smoothed_counts"]}
    (tmp_path / "counts.yaml").write_text(yaml.safe_dump(experiment, sort_keys=False))
    done = here(tmp_path, "sweep", "counts.yaml")
    assert done.status == 2
    assert "families.smoothed_counts: 'smoothed_counts' is neither a file" in done.err
