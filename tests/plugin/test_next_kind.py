"""A task that another package brings, through every verb, with nothing of ours edited."""

import re
from pathlib import Path

import pytest
import yaml
from plugins import installed, statuses

from recsweep.records.confirmation_files import read_confirmation

KINDS = ("browse", "favourite", "purchase", "comment")
EXPERIMENT = {
    "study": "kinds",
    "task": "next_kind",
    "next_kind": {"kind": "favourite"},
    "data": {
        "name": "kinds",
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
    "families": ["kind_share", "after_latest"],
    "budget": {"trials": 2, "epochs": 1},
    "stopping": {"grace_epochs": 1},
    "tracking": {"wandb": "off"},
    "resources": {"workers": 1},
    "confirm": {"seeds": 2, "resamples": 1000},
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed("next_kind", tmp_path_factory)


@pytest.mark.slow
def test_it_is_swept_confirmed_reported_and_rebuilt(site: Path, tmp_path: Path) -> None:
    (tmp_path / "kinds.yaml").write_text(yaml.safe_dump(EXPERIMENT, sort_keys=False))
    report = ("report", "results/kinds", "--lang", "zh")
    rebuild = ("reproduce", "results/kinds/best/after_latest.yaml")
    ended, errors = statuses(site, tmp_path, ("sweep", "kinds.yaml"), report, rebuild)
    assert ended == [0, 0, 0], errors
    folder = tmp_path / "results/kinds"
    confirmation = read_confirmation(folder)
    assert confirmation is not None
    assert confirmation.metric == "log_loss"
    assert confirmation.pairs[0].lower_is_better
    shares = {f.details["next_kind"]["share"] for f in confirmation.families.values()}
    assert len(shares) == 1
    page = (folder / "report.html").read_text("utf-8")
    assert "is it of the kind favourite?" in page
    assert re.search(r"after_latest promised [\d.]+%, [\d.]+% were\.", page)
    assert "| accuracy |" in (folder / "leaderboard.md").read_text("utf-8")
    assert "is it of the kind favourite?" in (folder / "report.zh.html").read_text("utf-8")


CONTRACT = """
import optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)
from recsweep_next_kind.families import FAMILIES
from recsweep.testing import cases_of, check_family
for family in FAMILIES:
    check_family(family, cases_of(family, "next_kind", {"kind": "purchase"}))
"""


def test_the_tasks_rules_check_an_experiment_and_its_families_keep_the_contract(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / "kinds.yaml").write_text(yaml.safe_dump(EXPERIMENT))
    told = {
        "next_kind={}": "the key 'next_kind.kind' is missing",
        "next_kind={kin: rate}": "unknown key 'next_kind.kin'; did you mean 'kind'?",
        "metric.name=brier": "metric.name brier is not a metric of task next_kind",
        "targets.seen=keep": "targets is not for task: next_kind; leave it out",
    }
    commands = [("prepare", "kinds.yaml", "--set", change) for change in told]
    ended, errors = statuses(site, tmp_path, *commands, then=CONTRACT)
    assert ended == [2] * len(told)
    assert errors.splitlines() == [f"recsweep: kinds.yaml: {m}" for m in told.values()]
