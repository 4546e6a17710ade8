"""The ensemble of a study goes to the test with its families, if it is of the study."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from studies import study_with, trial_row
from worlds import experiment_of

from recsweep.errors import BadInput
from recsweep.records.ensemble import ensemble_path, entrants, read_ensemble, single
from recsweep.records.openings import Opened
from recsweep.records.selection import BestFile, DataRecord, write_best
from recsweep.records.study import Study

TRIAL = trial_row(3, (0.1,))
MEMBER: dict[str, Any] = {
    "trial": TRIAL.id, "kind": "gru", "config": dict(TRIAL.config), "epochs": 1, "weight": 2,
    "seed_offset": 0,
}  # fmt: skip


def study(**changes: object) -> Study:
    return study_with(trial_row(2, (0.2,)), TRIAL, experiment=experiment_of(**changes))


def fuse(folder: Path, *members: dict[str, Any], fingerprint: str = "f00", **changes: Any) -> None:
    """Write what `fuse` would."""
    best = BestFile(
        command="x", study="test", family="ensemble", kind="ensemble", trial="ensemble",
        rule="greedy_selection", config={"members": members or (MEMBER,)}, seed=0, epochs=1,
        metric="ndcg@10", value=0.5, metrics={"ndcg@10": (0.5,)}, converged=True, near_edge=(),
        data=DataRecord(dataset="test-0123", fingerprint=fingerprint, raw={}),
        experiment=experiment_of(**changes), environment={},
    )  # fmt: skip
    write_best(best, ensemble_path(folder))


def test_it_lies_among_the_best_files_of_its_study(tmp_path: Path) -> None:
    assert ensemble_path(tmp_path) == tmp_path / "best" / "ensemble.yaml"
    assert read_ensemble(study(), tmp_path) is None
    fuse(tmp_path)
    found = read_ensemble(study(), tmp_path)
    assert found is not None
    assert (found.kind, found.config["members"][0]["trial"]) == ("ensemble", "gru-0003")  # type: ignore[index]


def test_one_of_the_same_question_is_read_whatever_else_changed(tmp_path: Path) -> None:
    fuse(tmp_path, confirm={"seeds": 9})
    assert read_ensemble(study(), tmp_path) is not None


@pytest.mark.parametrize(
    ("members", "changes"),
    [
        ((MEMBER, {**MEMBER, "trial": "gru-0009"}), {}),
        (({**MEMBER, "config": {"depth": 7}}, MEMBER), {}),
        ((MEMBER,), {"fingerprint": "f01"}),
        ((MEMBER,), {"seed": 7}),
    ],
)
def test_one_of_other_trials_data_or_settings_is_refused(
    members: tuple[dict[str, Any], ...], changes: dict[str, Any], tmp_path: Path
) -> None:
    fuse(tmp_path, *members, **changes)
    with pytest.raises(BadInput, match=r"made of other trials, data or settings .* recsweep fuse"):
        read_ensemble(study(), tmp_path)


def test_a_file_that_names_no_members_is_refused_by_its_key(tmp_path: Path) -> None:
    fuse(tmp_path, {"trial": TRIAL.id})
    with pytest.raises(BadInput, match=r"ensemble\.yaml: config.*members"):
        read_ensemble(study(), tmp_path)


def test_a_study_with_a_family_of_that_name_has_no_ensemble(tmp_path: Path) -> None:
    fuse(tmp_path)
    named = study()
    families = {**named.experiment.families, "ensemble": "gru.yaml"}
    taken = named.experiment.model_copy(update={"families": families})
    assert read_ensemble(study_with(TRIAL, experiment=taken), tmp_path) is None


CHOSEN = Opened(kind="gru", trial=TRIAL.id, config=TRIAL.config, epochs=1)


def test_families_and_the_ensemble_go_to_the_test(tmp_path: Path) -> None:
    selection: Any = SimpleNamespace(opened={"gru": CHOSEN})
    assert entrants(study(), selection, tmp_path) == {"gru": CHOSEN}
    fuse(tmp_path)
    found = entrants(study(), selection, tmp_path)
    assert list(found) == ["gru", "ensemble"]
    assert (found["ensemble"].kind, found["ensemble"].epochs) == ("ensemble", 1)
    assert single(found) == {"gru": CHOSEN}
