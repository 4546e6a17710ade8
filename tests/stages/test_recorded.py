"""What a best file says of its study, held against what is there."""

from dataclasses import replace
from pathlib import Path

import pytest
from studies import study_with
from tiny import World
from worlds import experiment_of

from recsweep.data.prepare import prepare
from recsweep.errors import BadInput, WorkFailed
from recsweep.records.selection import BestFile, read_best
from recsweep.spaces.declared import DeclaredSpace
from recsweep.stages import recorded
from recsweep.stages.confirm.stage import confirm_stage
from recsweep.stages.recorded import (
    bound_spaces,
    check_configuration,
    confirmed,
    recorded_data,
    unconfirmed,
)

MF = "matrix_factorization"


@pytest.fixture
def best(world: World) -> BestFile:
    return read_best(world.best(MF))


def test_a_configuration_is_of_a_family_that_is_here_and_takes_it(
    world: World, best: BestFile
) -> None:
    path = world.best(MF)
    check_configuration(best, path)
    other = best.model_copy(update={"kind": "matrix_factorisation"})
    with pytest.raises(BadInput, match=r"kind 'matrix_factorisation' is no family; did you mean"):
        check_configuration(other, path)
    wrong = best.model_copy(update={"config": {**best.config, "factors": 0}})
    with pytest.raises(BadInput, match=r"matrix_factorization\.yaml: config.*factors"):
        check_configuration(wrong, path)


@pytest.mark.parametrize(
    ("code", "said"),
    [({"commit": "c0ffee"}, r"recsweep 0\.1\.0 \(commit c0ffee\)"), ({}, r"recsweep 0\.1\.0")],
)
def test_what_this_version_does_not_know_is_refused_with_the_version_that_made_it(
    code: dict[str, str], said: str, tmp_path: Path
) -> None:
    fields = {"family": "item_knn", "defaults": {"recency": 0.9}}
    parameter = {"float": [0.5, 1.0], "role": "nuisance", "why": "?"}
    space = DeclaredSpace.model_validate({**fields, "parameters": {"recency": parameter}})
    study = replace(
        study_with(experiment=experiment_of(families={"item_knn": "a.yaml"})),
        spaces={"item_knn": space},
        environment={"recsweep": "0.1.0", "code": code},
    )
    with pytest.raises(
        BadInput,
        match=rf"study\.json: item_knn has no setting 'recency'.*; {said} made it: go on with that "
        "version, or begin another study$",
    ):
        bound_spaces(study, tmp_path / "study.json")


def test_the_data_is_what_was_recorded(world: World, best: BestFile) -> None:
    assert recorded_data(best, world.root).fingerprint == best.data.fingerprint


def test_a_sha256_that_the_experiment_names_is_not_asked_before_the_records(
    world: World, best: BestFile
) -> None:
    """Of a file that is another one, both tell the same, and the record's message says whose."""
    data = best.experiment.data
    named = tuple(table.model_copy(update={"sha256": "0" * 64}) for table in data.events)
    experiment = best.experiment.model_copy(
        update={"data": data.model_copy(update={"events": named})}
    )
    world.log.write_text(world.log.read_text().replace("c3,", "c4,", 1))
    other = best.model_copy(update={"experiment": experiment})
    with pytest.raises(WorkFailed, match=r"log\.csv: has sha256 .*the record has"):
        recorded_data(other, world.root)


def test_a_raw_file_that_is_another_one_or_was_never_recorded_stops(
    world: World, best: BestFile
) -> None:
    said = "…: it is not the file that matrix_factorization was selected on"
    for raw, told in ((dict.fromkeys(best.data.raw, "ab" * 32), "abababababab"), ({}, "none")):
        other = best.model_copy(update={"data": best.data.model_copy(update={"raw": raw})})
        with pytest.raises(WorkFailed, match=f"the record has {told}{said}"):
            recorded_data(other, world.root)


def test_the_same_files_that_are_prepared_otherwise_stop(
    world: World, best: BestFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        recorded, "prepare", lambda *given: replace(prepare(*given), fingerprint="0" * 64)
    )
    with pytest.raises(WorkFailed, match="has fingerprint 000000000000…, the record has"):
        recorded_data(best, world.root)


def test_a_verdict_is_of_this_very_configuration_or_of_none(
    world: World, best: BestFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert confirmed(best, world.study) is None
    assert str(unconfirmed(best, world.study, ", or else")) == (
        f"{world.study}/verdicts.json: has no verdicts, so the sealed test stays sealed; run "
        f"recsweep confirm {world.study} first, or else"
    )
    found = confirm_stage(world.study, world.root, workers=1).confirmation
    assert confirmed(best, world.study) == found
    longer = best.model_copy(update={"epochs": best.epochs + 1})
    assert confirmed(longer, world.study) is None
    assert confirmed(best.model_copy(update={"family": "unheard"}), world.study) is None
    assert str(unconfirmed(longer, world.study)) == (
        f"{world.study}/verdicts.json: has no verdict on this matrix_factorization, so the sealed "
        f"test stays sealed; run recsweep confirm {world.study} first"
    )
