"""A study that is mirrored to an object store, from the command line, on a machine that is lost."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from fuzz.command import recsweep
from test_cli import write_project

from recsweep.mirror.store import filesystem

EPOCHS = 8


def copied(url: str) -> set[str]:
    """Names of the files in the store."""
    fs, base = filesystem(url)
    return {str(path).rpartition("/tiny/")[2] for path in fs.find(f"{base}/tiny")}


@pytest.mark.long
def test_a_run_whose_machine_is_lost_goes_on_from_an_object_store(tmp_path: Path, s3: str) -> None:
    write_project(
        tmp_path,
        families={name: f"search_spaces/{name}.yaml" for name in ("gru", "popularity")},
        budget={"trials": 2, "epochs": EPOCHS},
        stopping={"full_trials": 2},
        resources={"workers": 1, "checkpoint_seconds": 0},
        confirm={"seeds": 2, "resamples": 1000},
        tracking={"wandb": "off"},
    )
    run = ["sweep", "tiny.yaml", "--set", f"storage.mirror={s3}"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from recsweep.cli import main; main()", *run],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    study = tmp_path / "results/tiny"
    journal, limit = study / "optuna.log", time.monotonic() + 120
    while not journal.exists() or journal.read_text().count('"step":') < EPOCHS + 3:
        assert process.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    before = pl.read_parquet(study / "trials.parquet")
    assert {"optuna.log", "study.json", "checkpoints/gru-0001.safetensors"} <= copied(s3)
    shutil.rmtree(study)

    again = recsweep(tmp_path, *run)
    assert again.done, again.err
    assert "took over" in again.err
    assert "starts again" not in again.err
    trials = pl.read_parquet(study / "trials.parquet")
    assert trials["id"].to_list() == ["gru-0000", "gru-0001", "popularity-0000", "popularity-0001"]
    assert trials.filter(pl.col("id").is_in(before["id"].implode())).equals(before)
    curve = pl.read_parquet(study / "curves.parquet").filter(pl.col("trial") == "gru-0001")
    assert sorted(set(curve["epoch"])) == list(range(1, EPOCHS + 1))
    assert not any(name.startswith("checkpoints/") for name in copied(s3))
    assert {"report.html", "verdicts.json", "openings.json"} <= copied(s3)
