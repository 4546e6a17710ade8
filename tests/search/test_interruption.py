"""A sweep in a process of its own that is ended in the middle."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from sweeps import folds_of, make_trials, spaces_of, study_of

from recsweep.search.run import run_search
from recsweep.search.storage import open_storage
from recsweep.search.study import build_study
from recsweep.tracking.events import Event, TrialEnded

HERE = Path(__file__).parent.parent


def start(folder: Path, trials: int, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HERE / "sweeps.py"), str(folder), str(trials), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[str], event: str, times: int) -> None:
    assert process.stdout is not None
    while times:
        line = process.stdout.readline()
        assert line, process.stderr and process.stderr.read()
        times -= line.strip() == event


def ids(folder: Path, trials: int) -> list[str]:
    study = build_study(
        folder,
        study_of("a", "b", trials=trials),
        spaces_of(folder, "a", "b"),
        dataset="data",
        fingerprint="data",
        environment={},
        folds={},
    )
    return [trial.id for trial in study.trials]


def states(folder: Path) -> set[str]:
    storage = open_storage(folder)
    return {
        trial.state.name
        for name in optuna.get_all_study_names(storage)
        for trial in optuna.load_study(study_name=name, storage=storage).trials
    }


@pytest.mark.long
def test_a_sweep_that_is_interrupted_goes_on_where_it_was_and_runs_nothing_twice(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """One that is killed is among the faults."""
    process = start(tmp_path, 4, 0.2)
    wait_for(process, "TrialEnded", 1)
    wait_for(process, "EpochReported", 1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does it: everybody gets it
    began = time.monotonic()
    assert process.wait(timeout=20) == 130
    assert time.monotonic() - began < 10
    assert "RUNNING" in states(tmp_path)  # open, to be gone on with
    before = ids(tmp_path, 4)

    request.getfixturevalue("local_ray")
    heard: list[Event] = []
    run_search(
        study_of("a", "b", trials=4, resources={"workers": 1}),
        spaces_of(tmp_path, "a", "b"),
        folds_of(),
        tmp_path,
        fingerprint="data",
        listeners=[heard.append],
        make_trial=make_trials(),
    )
    assert ids(tmp_path, 4) == [f"{name}-{n:04d}" for name in ("a", "b") for n in range(4)]
    assert sum(isinstance(event, TrialEnded) for event in heard) == 8 - len(before)
    assert states(tmp_path) <= {"COMPLETE", "PRUNED"}
    assert not list(tmp_path.glob("checkpoints/*"))
