"""A sweep that joins a cluster of two machines, each in a process of its own here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sweeps import spaces_of, study_of

from recsweep.errors import BadInput
from recsweep.search.cluster import cluster
from recsweep.search.sessions import read_sessions
from recsweep.search.study import build_study
from recsweep.training.process import worker_environment

TWO_MACHINES = """
import os, subprocess, sys
from ray.cluster_utils import Cluster
both = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
both.add_node(num_cpus=1)
environment = {**os.environ, "RAY_ADDRESS": both.address}
done = subprocess.run([sys.executable, *sys.argv[1:]], env=environment)
both.shutdown()
sys.exit(done.returncode)
"""


@pytest.mark.slow
def test_an_address_is_all_that_a_sweep_on_a_cluster_needs(tmp_path: Path) -> None:
    sweeps = Path(__file__).parent.parent / "sweeps.py"
    arguments = [str(sweeps), str(tmp_path), "3", "0.0", "2"]
    done = subprocess.run(
        [sys.executable, "-c", TWO_MACHINES, *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    experiment = study_of("a", "b", trials=3)
    study = build_study(
        tmp_path,
        experiment,
        spaces_of(tmp_path, "a", "b"),
        dataset="",
        fingerprint="",
        environment={},
        folds={},
    )
    assert len(study.trials) == 6
    (session,) = read_sessions(tmp_path)
    assert session.workers == 2  # one on each machine


def test_a_ray_client_address_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # whatever ran before
    with (
        pytest.raises(BadInput, match="RAY_ADDRESS=auto"),
        cluster(study_of("a").resources),
    ):
        pass
    assert "TUNE_DISABLE_SIGINT_HANDLER" not in os.environ  # nothing of ours stays behind


def test_a_worker_has_as_many_threads_as_its_cores() -> None:
    environment = worker_environment(study_of("a", resources={"cpu": 3}).resources)
    assert environment["OMP_NUM_THREADS"] == "3"
    assert worker_environment(study_of("a").resources)["MKL_NUM_THREADS"] == "1"
