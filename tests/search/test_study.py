from pathlib import Path

import pytest
from sweeps import folds_of, ledger_of, report_of, spaces_of, study_of

from recsweep.errors import BadInput
from recsweep.records.files import read_study, write_study
from recsweep.search.study import build_study


def test_a_study_that_was_swept_can_be_written_and_read_without_a_tuner(tmp_path: Path) -> None:
    experiment, spaces = study_of("b", "a"), spaces_of(tmp_path, "b", "a")
    ledger = ledger_of(tmp_path, experiment, spaces)
    for family in ("a", "b", "a"):
        id_ = ledger.ask(family).id
        ledger.report(id_, report_of(1, 0.25, folds_of()))
        ledger.complete(id_, report_of(1, 0.25, folds_of()))
    ledger.ask("b")  # still running: not a trial yet
    study = build_study(
        tmp_path,
        experiment,
        spaces,
        dataset="test-1",
        fingerprint="f",
        environment={"python": "3"},
        folds={"fold0": {"targets": 3}},
    )
    assert [trial.id for trial in study.trials] == ["b-0000", "a-0000", "a-0001"]
    write_study(study, tmp_path)
    assert read_study(tmp_path) == study


def test_a_folder_without_a_sweep_is_told_so_and_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no sweep has begun here"):
        build_study(
            tmp_path,
            study_of("a"),
            {},
            dataset="",
            fingerprint="",
            environment={},
            folds={},
        )
    assert list(tmp_path.iterdir()) == []
