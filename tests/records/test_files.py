import csv
import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from studies import study_with, trial_row
from sweeps import lower
from worlds import experiment_of

from recsweep.errors import BadInput
from recsweep.records.checked import read_checked, write_checked
from recsweep.records.earlier import Taken
from recsweep.records.files import read_study, write_study
from recsweep.records.study import EarlyEnd
from recsweep.spaces.declared import Widening


def test_a_study_reads_back_as_it_was_to_the_last_digit(tmp_path: Path) -> None:
    study = study_with(
        trial_row(0, (0.1, 1 / 3, 0.2)),
        trial_row(1, (), state="failed", reason="diverged: x"),
        trial_row(2, (0.1,), state="pruned", reason="stopped after epoch 1"),
    )
    write_study(study, tmp_path)
    assert read_study(tmp_path) == study
    assert not list(tmp_path.glob(".*"))  # no temporary file stays


def test_what_a_search_began_with_reads_back_and_is_absent_where_there_is_nothing(
    tmp_path: Path,
) -> None:
    wide = Widening(parameter="depth", before=(1, 2), now=(1, 4), trials=3)
    taken = Taken("results/before", "f00", {"gru": 12}, {"gru": 1})
    study = replace(study_with(), warm_start=(taken,), widened={"gru": (wide,)})
    write_study(study, tmp_path)
    assert read_study(tmp_path) == study
    write_study(study_with(), tmp_path)
    assert not {"warm_start", "widened"} & json.loads((tmp_path / "study.json").read_text()).keys()


def test_a_disk_that_fills_up_meanwhile_leaves_the_study_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = study_with(trial_row(0, (0.1,)))
    write_study(before, tmp_path)
    left, sync = [3], os.fsync

    def fills_up(descriptor: int) -> None:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        left[0] -= 1
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fills_up)
    with pytest.raises(OSError, match="No space left"):
        write_study(study_with(trial_row(0, (0.1,)), trial_row(1, (0.2,))), tmp_path)
    assert read_study(tmp_path) == before
    assert not list(tmp_path.glob(".*"))


def test_a_study_without_trials_reads_back(tmp_path: Path) -> None:
    write_study(study_with(), tmp_path)
    assert read_study(tmp_path).trials == ()


def test_the_tables_are_plain_for_other_tools(tmp_path: Path) -> None:
    write_study(study_with(trial_row(0, (0.1, 0.4, 0.2))), tmp_path)
    (trial,) = pl.read_parquet(tmp_path / "trials.parquet").to_dicts()
    assert (trial["value"], trial["best_epoch"], trial["epochs"]) == (0.4, 2, 3)
    curves = pl.read_parquet(tmp_path / "curves.parquet")
    assert curves.columns == ["trial", "epoch", "fold", "metric", "value"]
    # 3 epochs x (the score + 2 kinds of seconds + 2 folds x (2 metrics + the loss + the gradient))
    assert len(curves) == 3 * (1 + 2 + 2 * 4)
    whole = curves.filter(pl.col("fold").is_null())
    assert whole.filter(metric="ndcg@10")["value"].to_list() == [0.1, 0.4, 0.2]


def test_a_spreadsheet_gets_a_column_a_hyperparameter(tmp_path: Path) -> None:
    other = replace(trial_row(1, ()), config={"depth": 2}, state="failed", reason='a "quote", 坏')
    write_study(study_with(trial_row(0, (0.1, 0.4)), other), tmp_path)
    first, second = csv.DictReader((tmp_path / "trials.csv").read_text("utf-8").splitlines())
    assert (first["id"], first["value"], first["config.learning_rate"]) == (
        "gru-0000", "0.4", repr(0.1 + 0.2),
    )  # fmt: skip
    assert (second["reason"], second["config.depth"], second["config.loss"]) == (
        'a "quote", 坏', "2", "",
    )  # fmt: skip


def test_what_an_epoch_took_reads_back_and_curves_from_before_it_was_kept_do(
    tmp_path: Path,
) -> None:
    took = {"fit_seconds": 1.5, "evaluate_seconds": 0.25, "training_events": 7, "memory_mb": 12.5}
    took |= {"parameters": 9, "model_bytes": 36, "p99_ms": 0.5, "joules": 8.5}
    trial = trial_row(0, (0.1,))
    trial = replace(trial, epochs=(replace(trial.epochs[0], **took),))  # type: ignore[arg-type]
    write_study(study_with(trial), tmp_path)
    assert read_study(tmp_path).trials == (trial,)
    path, head = tmp_path / "curves.parquet", tmp_path / "study.json"
    pl.read_parquet(path).filter(~pl.col("metric").is_in(list(took))).write_parquet(path)
    content = read_checked(head, "")
    write_checked(head, {**content, "files": {}})
    (before,) = read_study(tmp_path).trials
    assert before.epochs == trial_row(0, (0.1,)).epochs


def test_a_folder_without_a_study_is_told_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no study\.json; run the sweep"):
        read_study(tmp_path)
    write_study(study_with(trial_row(0, (0.1,))), tmp_path)
    (tmp_path / "curves.parquet").unlink()
    with pytest.raises(BadInput, match=r"curves\.parquet"):
        read_study(tmp_path)


@pytest.mark.parametrize("name", ["trials.parquet", "curves.parquet"])
def test_a_table_that_was_changed_is_refused_by_name(tmp_path: Path, name: str) -> None:
    write_study(study_with(trial_row(0, (0.1, 0.4)), trial_row(1, (0.2,))), tmp_path)
    pl.read_parquet(tmp_path / name).head(1).write_parquet(tmp_path / name)
    with pytest.raises(BadInput, match=f"{name}: was changed after it was written"):
        read_study(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"experiment": {}}'])
def test_a_file_that_is_not_a_study_is_one_line(tmp_path: Path, content: bytes) -> None:
    write_study(study_with(), tmp_path)
    (tmp_path / "study.json").write_bytes(content)
    with pytest.raises(BadInput) as error:
        read_study(tmp_path)
    assert "\n" not in str(error.value)


def test_where_a_search_ended_early_reads_back(tmp_path: Path) -> None:
    study = replace(study_with(), early_end=EarlyEnd(trials=3, budget=9))
    write_study(study, tmp_path)
    assert read_study(tmp_path) == study
    head = json.loads((tmp_path / "study.json").read_text())
    assert head["early_end"] == {"trials": 3, "budget": 9}
    write_study(study_with(), tmp_path)
    assert "early_end" not in json.loads((tmp_path / "study.json").read_text())


def test_the_best_epoch_is_the_least_of_a_metric_of_which_less_is_better(tmp_path: Path) -> None:
    experiment = lower(experiment_of(task="purchase", metric={"name": "log_loss"}))
    trial = trial_row(0, (0.5, 0.3, 0.4), lower_is_better=True)
    write_study(study_with(trial, experiment=experiment), tmp_path)
    (row,) = pl.read_parquet(tmp_path / "trials.parquet").to_dicts()
    assert (row["value"], row["best_epoch"]) == (0.3, 2)
    assert read_study(tmp_path).trials == (trial,)


def test_a_trial_without_an_epoch_has_no_score_in_the_tables(tmp_path: Path) -> None:
    write_study(study_with(trial_row(0, (), state="failed", reason="diverged")), tmp_path)
    (row,) = pl.read_parquet(tmp_path / "trials.parquet").to_dicts()
    assert (row["value"], row["best_epoch"], row["epochs"]) == (None, None, 0)
    assert (row["state"], row["reason"], row["fit_seconds"]) == ("failed", "diverged", 10.0)
    assert json.loads(row["config"]) == dict(trial_row(0, ()).config)


def test_curves_from_before_gradients_were_kept_read_without_them(tmp_path: Path) -> None:
    trial = trial_row(0, (0.1, 0.2))
    write_study(study_with(trial), tmp_path)
    path, head = tmp_path / "curves.parquet", tmp_path / "study.json"
    pl.read_parquet(path).filter(pl.col("metric") != "gradient_norm").write_parquet(path)
    content = read_checked(head, "")
    write_checked(head, {name: value for name, value in content.items() if name != "files"})
    (before,) = read_study(tmp_path).trials
    assert before.epochs == tuple(replace(epoch, gradient_norms=()) for epoch in trial.epochs)


def test_whole_numbers_are_whole_and_epochs_stand_in_their_order(tmp_path: Path) -> None:
    trial = trial_row(0, (0.3, 0.1, 0.2), parameters=12)
    other = trial_row(1, (0.5,), parameters=7)
    write_study(study_with(trial, other), tmp_path)
    first, second = read_study(tmp_path).trials
    assert [epoch.epoch for epoch in first.epochs] == [1, 2, 3]
    assert [epoch.value for epoch in first.epochs] == [0.3, 0.1, 0.2]
    assert type(first.epochs[0].parameters) is int
    assert [epoch.parameters for epoch in first.epochs] == [12, None, None]
    assert second.epochs[0].metrics == {"ndcg@10": (0.5, 0.5), "mrr@5": (0.5 / 3, 0.5 / 7)}


def test_digests_of_other_files_are_nobody_s(tmp_path: Path) -> None:
    write_study(study_with(trial_row(0, (0.1,))), tmp_path)
    content = read_checked(tmp_path / "study.json", "")
    content["files"] |= {"other.parquet": "00"}
    write_checked(tmp_path / "study.json", content)
    assert len(read_study(tmp_path).trials) == 1


@pytest.mark.parametrize("name", ["study.json", "trials.parquet", "curves.parquet"])
def test_each_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    write_study(study_with(trial_row(0, (0.1,))), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BadInput, match=f"has no {name}; run the sweep of this study first"):
        read_study(tmp_path)
