"""What `deploy/` holds is taken by those that it is for, as far as can be told without them."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import recsweep
from recsweep.config.files import load_experiment

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
    return content


def test_rays_launcher_takes_the_cluster_file_and_refuses_a_slip() -> None:
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import prepare_config, validate_config

    content = load("ray-cluster.yaml")
    validate_config(prepare_config(content))
    with pytest.raises(ValidationError, match="max_wokers"):
        validate_config(prepare_config({**content, "max_wokers": 1}))


def test_every_machine_of_the_cluster_starts_the_ray_of_the_locked_environment() -> None:
    content = load("ray-cluster.yaml")
    starts = content["head_start_ray_commands"] + content["worker_start_ray_commands"]
    assert all(".venv/bin/ray " in command for command in starts)
    assert sum("ray start" in command for command in starts) == 2
    assert any("--dashboard-host=127.0.0.1" in command for command in starts)


def test_every_machine_of_the_cluster_has_an_image_with_a_python_that_is_new_enough() -> None:
    nodes = load("ray-cluster.yaml")["available_node_types"].values()
    (image,) = {node["node_config"]["ImageId"] for node in nodes}  # Ray's own is an Ubuntu 18.04
    (ubuntu,) = re.findall(r"ubuntu-(\d+)\.04/latest", image)
    assert int(ubuntu) >= 24  # Python 3.12


def test_the_commands_in_the_cluster_files_header_are_taken() -> None:
    header = (DEPLOY / "ray-cluster.yaml").read_text("utf-8").partition("cluster_name")[0]
    settings = re.findall(r"--set ([\w.]+=[^\s\"]+)", header)
    loaded = load_experiment(ROOT / "experiments/default.yaml", settings)
    assert loaded.resources.gpu > 0
    assert loaded.storage.mirror is not None


def test_the_image_is_built_from_what_dockers_context_holds() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    recipe = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = re.findall(r"^COPY (.+) \S+$", recipe, re.MULTILINE)
    assert ignored[1] == "*"
    for name in " ".join(copied).split():
        assert f"!{name}" in ignored, name
    assert " g++ " in recipe  # for the kernels of bf16
    jobs = (DEPLOY / "rayjob.yaml").read_text("utf-8")
    for tag in re.findall(r"/recsweep:(\S+)", recipe + jobs):
        assert tag == recsweep.__version__


def test_the_rayjob_runs_a_command_that_recsweep_takes() -> None:
    spec = load("rayjob.yaml")["spec"]
    program, verb, experiment, *options = shlex.split(spec["entrypoint"])
    assert (program, verb) == ("recsweep", "sweep")
    assert options[::2] == ["--set"] * (len(options) // 2)
    loaded = load_experiment(ROOT / experiment, options[1::2])
    (group,) = spec["rayClusterSpec"]["workerGroupSpecs"]
    (worker,) = group["template"]["spec"]["containers"]
    assert loaded.resources.cpu <= float(worker["resources"]["limits"]["cpu"])
    assert loaded.resources.gpu <= float(worker["resources"]["limits"]["nvidia.com/gpu"])
    assert loaded.storage.mirror is not None  # the head's disk goes with the job


def test_the_rayjob_names_the_locked_version_of_ray_and_no_secret() -> None:
    (locked,) = re.findall(r"^ray==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert load("rayjob.yaml")["spec"]["rayClusterSpec"]["rayVersion"] == locked
    text = (DEPLOY / "rayjob.yaml").read_text("utf-8")
    assert "value:" not in text
    assert "secretRef" in text


def test_the_slurm_script_is_valid_and_clean() -> None:
    subprocess.run(["bash", "-n", DEPLOY / "slurm.sh"], check=True)
    checker = ROOT / ".venv-tools/bin/shellcheck"
    if not checker.exists():
        pytest.skip("no shellcheck here; `make tools` installs it")
    subprocess.run([checker, DEPLOY / "slurm.sh"], check=True)


def write_program(path: Path, body: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{body}\n")
    path.chmod(0o755)


def test_the_slurm_script_starts_a_head_then_workers_then_the_sweep(tmp_path: Path) -> None:
    log, bin_ = tmp_path / "log", tmp_path / "bin"
    write_program(
        bin_ / "srun",
        'for a; do [[ $a == --nodelist=* ]] && node=${a#--nodelist=}; done\n'
        'while [[ $1 == --* ]]; do shift; done\n'
        'if [[ $1 == hostname ]]; then echo 10.0.0.7; exit; fi\n'
        f'echo "$node: ${{*/#*\\/ray/ray}}" >> {log}; exec "$@"',
    )  # fmt: skip
    write_program(bin_ / "scontrol", 'printf "n1\\nn2\\nn3\\n"')
    write_program(tmp_path / ".venv/bin/ray", "[[ $1 == status ]] || exec sleep 60")
    write_program(
        tmp_path / ".venv/bin/recsweep",
        f'sleep 0.5; echo "sweep: $* at $RAY_ADDRESS" >> {log}; exit 3',
    )
    done = subprocess.run(
        ["bash", DEPLOY / "slurm.sh", "mine.yaml", "--set", "budget.trials=4"],
        cwd=tmp_path,
        env={
            "PATH": f"{bin_}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "n[1-3]",
            "SLURM_JOB_ID": "5", "SLURM_CPUS_PER_TASK": "16", "SLURM_GPUS_ON_NODE": "2",
            "STUDIES": "/kept",
        },
        timeout=30, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr  # the sweep's own status
    lines = log.read_text().splitlines()
    common = "--num-cpus=16 --num-gpus=2 --disable-usage-stats --block"
    head = "--head --node-ip-address=10.0.0.7 --port=20005 --include-dashboard=false"
    assert sorted(lines[:-1]) == [
        f"n1: ray start {head} {common}",
        f"n2: ray start --address=10.0.0.7:20005 {common}",
        f"n3: ray start --address=10.0.0.7:20005 {common}",
    ]
    assert lines[-1] == (
        "sweep: sweep mine.yaml --set storage.mirror=/kept --set budget.trials=4 at 10.0.0.7:20005"
    )


def test_the_slurm_script_wants_an_experiment_and_an_installed_repository(tmp_path: Path) -> None:
    for arguments, words in ((["x.yaml"], "make install"), ([], "an experiment")):
        done = subprocess.run(
            ["bash", DEPLOY / "slurm.sh", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode != 0
        assert words in done.stderr


def test_the_rayservice_starts_applications_that_there_are() -> None:
    pytest.importorskip("fastapi", reason="needs the extra serve")
    from importlib import import_module

    spec = load("rayservice.yaml")["spec"]
    assert spec["rayClusterConfig"]["rayVersion"] in (ROOT / "constraints.txt").read_text()
    applications = yaml.safe_load(spec["serveConfigV2"])["applications"]
    (gate,) = (app for app in applications if app["route_prefix"])
    assert set(gate["args"]["models"]) == {a["name"] for a in applications if a is not gate}
    for app in applications:
        module, _, name = app["import_path"].partition(":")
        assert callable(getattr(import_module(module), name))
    text = (DEPLOY / "rayservice.yaml").read_text("utf-8")
    assert "value:" not in text
    assert "secretRef" in text
