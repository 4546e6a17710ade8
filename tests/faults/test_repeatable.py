"""A repeatable sweep with real training, killed at random moments, from the command line."""

import shutil
from pathlib import Path
from random import Random

import pytest
from faults.killing import finish, kill_and_resume, outcome, reports
from test_cli import write_project


@pytest.mark.parametrize("workers", [1, 4])
def test_a_repeatable_sweep_that_is_killed_ends_as_one_that_was_not(
    tmp_path: Path, workers: int, repetition: int
) -> None:
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    undisturbed.mkdir()
    write_project(
        undisturbed,
        families={
            name: f"search_spaces/{name}.yaml"
            for name in ("gru", "matrix_factorization", "popularity")
        },
        budget={"trials": 6, "epochs": 4},
        stopping={"grace_epochs": 1, "reduction": 2, "full_trials": 1},
        resources={"cpu": 0.5, "workers": workers, "checkpoint_seconds": 0},
        repeatable=True,
    )
    shutil.copytree(undisturbed, killed)
    finish(undisturbed, "search", "tiny.yaml")
    n_reports, random = reports(undisturbed), Random(1000 * workers + repetition)
    kill_and_resume(killed, ["search", "tiny.yaml"], 5, n_reports, random)
    for project in (undisturbed, killed):
        finish(project, "select", "results/tiny")
    assert outcome(killed / "results/tiny") == outcome(undisturbed / "results/tiny")
    assert reports(killed) == n_reports  # none was booked twice
