"""Ray as a sweep starts it, and addresses and folders with which it doesn't."""

import logging
import os
import site
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from ray._private import ray_constants
from ray.tune.execution import class_cache
from sweeps import study_of

from recsweep.errors import BadInput, WorkFailed
from recsweep.records.environment import PACKAGE
from recsweep.search import cluster as cluster_module
from recsweep.search.cluster import (
    _place,
    _runtime_environment,
    _workers,
    cluster,
    cores,
    most_train,
)
from recsweep.training.process import worker_environment

PROCESSES = """
import os, sys, time, ray, subprocess
from pathlib import Path
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy
from recsweep.config.schema import Resources
from recsweep.search.cluster import cluster

@ray.remote
class Worker:
    def tell(self):
        limit = time.monotonic() + 60
        while "recsweep.search.worker" not in sys.modules and time.monotonic() < limit:
            time.sleep(0.1)
        return os.environ["OMP_NUM_THREADS"], "recsweep.search.worker" in sys.modules

with cluster(Resources(cpu=1, workers=1)):
    group = ray.util.placement_group([{"CPU": 1}])  # as Tune holds a core before a trial begins
    time.sleep(4)
    placed = PlacementGroupSchedulingStrategy(group)
    print(*ray.get(Worker.options(num_cpus=1, scheduling_strategy=placed).remote().tell.remote()))
    logs = Path(ray._private.worker._global_node.get_logs_dir_path())
    print(len(list(logs.glob("python-core-worker-*.log"))))
    address = ray.get_runtime_context().gcs_address
    other = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1])"
    theirs = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": 64 * "t"}
    done = subprocess.run(
        [sys.executable, "-c", other, address], env={**os.environ, **theirs},
        stderr=subprocess.PIPE, text=True,
    )
    print(done.returncode, "AuthenticationError" in done.stderr)
print("RAY_AUTH_TOKEN" in os.environ, "RAY_AUTH_MODE" in os.environ, list(Path.home().glob("*")))
"""

UV = """
import subprocess, sys
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


@pytest.mark.slow
def test_a_ray_of_our_own_is_nobody_elses_and_needs_no_home(tmp_path: Path) -> None:
    """Its processes have their variables and imports before they are asked for, and wait.

    It is begun as by `uv run` from a subfolder of a project, with a home that is empty and stays
    so, and another program of the machine, as one that looks for any Ray, is not let in.
    """
    home, inside = tmp_path / "home", tmp_path / "project" / "inside"
    home.mkdir()
    inside.mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").write_text("[project]\nname = 'theirs'\n")
    (inside / "run").write_text(UV)  # what `uv run` becomes: a process that is called so
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        ["uv", "run", sys.executable, "-c", PROCESSES], executable=sys.executable, cwd=inside,
        capture_output=True, text=True, timeout=540, check=False,
        env={**environment, "HOME": str(home)},
    )  # fmt: skip
    assert done.stdout == "1 True\n1\n1 True\nFalse False []\n", done.stderr


def test_a_ray_client_address_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    monkeypatch.setattr("ray.is_initialized", lambda: False)  # whatever ran before
    with (
        pytest.raises(BadInput, match="RAY_ADDRESS=auto"),
        cluster(study_of("a").resources),
    ):
        pass
    assert "TUNE_DISABLE_SIGINT_HANDLER" not in os.environ  # nothing of ours stays behind


@pytest.fixture
def never_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has no Ray yet; to start or join one fails."""

    def begun(**options: object) -> None:
        raise AssertionError(f"Ray was begun with {options}")

    monkeypatch.setattr("ray.is_initialized", lambda: False)  # whatever ran before
    monkeypatch.setattr("ray.init", begun)
    for name in ("RAY_ADDRESS", "RAY_TMPDIR", "RAY_USE_TLS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("never_begun")
@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("{tmp}/" + "l" * 90, "too long by"),
        ("{tmp}/" + "长" * 30, "too long by"),  # bytes count, not characters
        ("/etc/hostname/inside", "can't write there"),
        ("/proc/1", "can't write there"),
    ],
)
@pytest.mark.parametrize("name", ["TMPDIR", "RAY_TMPDIR"])
def test_a_folder_that_ray_cannot_use_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, folder: str, words: str
) -> None:
    place = folder.format(tmp=tmp_path)
    monkeypatch.setenv(name, place)
    monkeypatch.setenv("HOME", "/nobody/home")
    with pytest.raises(BadInput, match=words) as told, cluster(study_of("a").resources):
        pass
    for said in (f"{name}={place}", "set RAY_TMPDIR", "HOME=/nobody/home"):
        assert said in str(told.value)
    assert not Path(place).exists() or place == "/proc/1"


@pytest.mark.parametrize("name", ["TMPDIR", "RAY_TMPDIR"])
def test_a_folder_for_ray_may_be_named_from_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    with TemporaryDirectory(dir="/tmp") as home:  # short enough for Ray's sockets
        monkeypatch.setenv("HOME", home)
        monkeypatch.setenv(name, "~/x")
        assert _place() == Path(home) / "x/ray"
    monkeypatch.setenv(name, "~no-such-user/x")
    with pytest.raises(BadInput, match=f"{name}=~no-such-user/x: there is no such user; set RAY"):
        _place()
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("never_begun")
@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied", "/x"), RuntimeError()])
def test_a_ray_that_does_not_start_names_its_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(**options: object) -> None:
        assert not options["include_dashboard"]  # a port that takes orders from whoever knows it
        assert not options["log_to_driver"]
        raise error

    monkeypatch.setattr("ray.init", fails)
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    monkeypatch.setenv("HOME", "/nobody/home")
    with pytest.raises(BadInput) as told, cluster(study_of("a").resources):
        pass
    for said in ("/tmp/ray", "HOME=/nobody/home", "set RAY_TMPDIR", str(error)):
        assert said in str(told.value)


@pytest.mark.usefixtures("never_begun")
def test_a_ray_that_does_not_come_up_in_time_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(**options: object) -> None:
        raise Exception("The current node timed out during startup.")  # as Ray's own, and no kind

    monkeypatch.setattr("ray.init", fails)
    with (
        pytest.raises(WorkFailed, match=r"timed out during startup\. Is the machine busy\? Run"),
        cluster(study_of("a").resources),
    ):
        pass


@pytest.mark.parametrize(
    ("asked", "joined"),
    [
        (None, False),
        ("local", False),
        ("h:1", False),
        ("auto", True),
        ("10.0.0.1:6379", True),
    ],
)
def test_a_ray_that_the_process_uses_for_something_else_is_joined_only_if_asked(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, joined: bool
) -> None:
    machine = {"Alive": True, "Resources": {"CPU": 2.0}}
    monkeypatch.setattr("ray.is_initialized", lambda: True)
    monkeypatch.setattr("ray.nodes", lambda: [machine])
    monkeypatch.setattr(
        "ray.get_runtime_context", lambda: SimpleNamespace(gcs_address="10.0.0.1:6379")
    )
    monkeypatch.setattr("ray.shutdown", lambda: pytest.fail("it is not ours to end"))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if asked is not None:
        monkeypatch.setenv("RAY_ADDRESS", asked)
    logger = logging.getLogger("ray")
    monkeypatch.setattr(logger, "level", logging.INFO)
    if joined:
        with cluster(study_of("a").resources) as workers:
            assert workers == 2
            assert logger.level == logging.CRITICAL  # Tune's warnings of files that we don't want
        assert logger.level == logging.INFO  # theirs again
    else:
        with (
            pytest.raises(BadInput, match=r"RAY_ADDRESS=10\.0\.0\.1:6379"),
            cluster(study_of("a").resources),
        ):
            pass


@pytest.mark.parametrize(
    ("resources", "most"),
    [
        ({}, True),
        ({"cpu": 2}, True),  # a trial has two of the processes that Ray starts
        ({"cpu": 4}, False),
        ({"workers": 4}, True),
        ({"workers": 1}, True),  # no other is started
        ({"workers": 2, "cpu": 3}, False),
        ({"gpu": 0.25}, False),  # a process a core, and few GPUs
    ],
)
def test_processes_import_ahead_only_where_most_of_them_will_train(
    monkeypatch: pytest.MonkeyPatch, resources: dict[str, float], most: bool
) -> None:
    monkeypatch.setattr("recsweep.search.cluster.usable_cores", lambda: 8)
    assert most_train(study_of("a", resources=resources).resources) == most


@pytest.mark.parametrize(
    ("resources", "wanted"),
    [
        ({}, 8), ({"cpu": 0.5}, 8), ({"workers": 1}, 1), ({"workers": 3, "cpu": 0.5}, 2),
        ({"workers": 2, "cpu": 3}, 6), ({"workers": 16}, 8), ({"cpu": 64, "workers": 1}, 8),
    ],
)  # fmt: skip
def test_ray_begins_no_more_processes_than_trials_can_hold(
    monkeypatch: pytest.MonkeyPatch, resources: dict[str, float], wanted: int
) -> None:
    monkeypatch.setattr(cluster_module, "usable_cores", lambda: 8)
    assert cores(study_of("a", resources=resources).resources) == wanted


def test_a_worker_has_as_many_threads_as_its_cores() -> None:
    environment = worker_environment(study_of("a", resources={"cpu": 3}).resources)
    assert environment["OMP_NUM_THREADS"] == "3"
    assert worker_environment(study_of("a").resources)["MKL_NUM_THREADS"] == "1"


def test_a_clusters_workers_get_the_variables_and_this_code_unless_a_job_brought_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resources = study_of("a", resources={"cpu": 3}).resources
    variables = worker_environment(resources)
    monkeypatch.delenv("RAY_JOB_CONFIG_JSON_ENV_VAR", raising=False)
    assert _runtime_environment(resources) == {
        "env_vars": variables, "py_modules": [str(PACKAGE)],
    }  # fmt: skip
    monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", "{}")
    assert _runtime_environment(resources) == {"env_vars": variables}


class FakeRay:
    """Stands in for Ray: how it was begun, under which variables, and how often it was ended."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *machines: dict[str, float]) -> None:
        self.options: dict[str, Any] = {}
        self.variables: dict[str, str] = {}
        self.did: list[str] = []
        self.asked_by_uv: bool | None = None
        monkeypatch.setattr("ray.init", self.init)
        monkeypatch.setattr("ray.shutdown", lambda: self.did.append("ended"))
        monkeypatch.setattr(
            "ray.nodes", lambda: [{"Alive": True, "Resources": each} for each in machines]
        )
        token = SimpleNamespace(reset_cache=lambda: self.did.append("token forgotten"))
        monkeypatch.setattr(cluster_module, "Config", SimpleNamespace(initialize=self.configure))
        monkeypatch.setattr(
            cluster_module, "AuthenticationTokenLoader", SimpleNamespace(instance=lambda: token)
        )

    def init(self, **options: Any) -> None:
        self.did.append("begun")
        self.options, self.variables = options, dict(os.environ)
        self.asked_by_uv = ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV

    def configure(self, settings: str) -> None:
        self.did.append(f"configured {settings}".strip())


@pytest.mark.usefixtures("never_begun")
def test_a_ray_of_our_own_begins_by_itself_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ray = FakeRay(monkeypatch, {"CPU": 8.0})
    monkeypatch.setattr(cluster_module, "usable_cores", lambda: 8)
    monkeypatch.setattr(ray_constants, "RAY_ENABLE_UV_RUN_RUNTIME_ENV", True)
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    before = dict(os.environ)
    resources = study_of("a", resources={"cpu": 2, "workers": 3}).resources
    with cluster(resources) as workers:
        assert workers == 3
        assert ray.did == ["configured", "token forgotten", "begun"]
        assert os.environ["TUNE_DISABLE_SIGINT_HANDLER"] == "1"
        assert sorted(class_cache.ENV_VARS_TO_PROPAGATE) == []
        assert class_cache.DEFAULT_ENV_VARS == {}
    assert ray.did[3:] == ["ended", "configured", "token forgotten"]
    assert ray.options == {
        "address": "local",
        "num_cpus": 6,
        "_system_config": {
            "preload_python_modules": ["recsweep.search.preload"],
            "idle_worker_killing_time_threshold_ms": 3_600_000,
        },
        "_temp_dir": "/tmp/ray",
        "_skip_env_hook": True,
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": logging.CRITICAL,
    }
    assert ray.variables.items() >= worker_environment(resources).items()
    assert ray.variables["RAY_AUTH_MODE"] == "token"
    assert len(bytes.fromhex(ray.variables["RAY_AUTH_TOKEN"])) == 32
    assert logging.getLogger("ray").level == logging.CRITICAL
    assert (ray.asked_by_uv, ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV) == (False, True)
    assert dict(os.environ) == before


@pytest.mark.usefixtures("never_begun")
@pytest.mark.parametrize(
    ("place", "given", "wanted"),
    [
        ("/home/me/code/recsweep", None, "/home/me/code"),
        ("/home/me/code/recsweep", "/mine", "/home/me/code:/mine"),
        (f"{site.getsitepackages()[0]}/recsweep", None, None),
        (f"{site.getsitepackages()[0]}/recsweep", "/mine", "/mine"),
        (f"{site.getusersitepackages()}/recsweep", None, None),
    ],
)
def test_processes_of_our_own_ray_find_this_code_first_unless_any_python_finds_it(
    monkeypatch: pytest.MonkeyPatch, place: str, given: str | None, wanted: str | None
) -> None:
    ray = FakeRay(monkeypatch, {"CPU": 8.0})
    monkeypatch.setattr(cluster_module, "PACKAGE", Path(place))
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    if given is None:
        monkeypatch.delenv("PYTHONPATH", raising=False)
    else:
        monkeypatch.setenv("PYTHONPATH", given)
    with cluster(study_of("a").resources):
        assert os.environ.get("PYTHONPATH") == given
    assert ray.variables.get("PYTHONPATH") == wanted


@pytest.mark.usefixtures("never_begun")
def test_where_few_processes_train_none_imports_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay(monkeypatch, {"CPU": 8.0})
    monkeypatch.setattr(cluster_module, "usable_cores", lambda: 8)
    with cluster(study_of("a", resources={"cpu": 8}).resources) as workers:
        assert workers == 1
    assert ray.options["_system_config"]["preload_python_modules"] == []


@pytest.mark.usefixtures("never_begun")
def test_a_cluster_is_joined_at_its_address_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay(monkeypatch, {"CPU": 2.0}, {"CPU": 4.0})
    checked: list[str] = []
    monkeypatch.setattr(cluster_module, "check_address", checked.append)
    monkeypatch.setenv("RAY_ADDRESS", " 10.0.0.1:6379 ")
    resources = study_of("a").resources
    with cluster(resources) as workers:
        assert workers == 6
        # A worker of a cluster gets the one variable that it needs, and no key of a store.
        assert sorted(class_cache.ENV_VARS_TO_PROPAGATE) == ["RAY_CHDIR_TO_TRIAL_DIR"]
    assert checked == ["10.0.0.1:6379"]
    assert ray.did == ["begun", "ended", "configured", "token forgotten"]
    assert ray.options == {
        "address": "10.0.0.1:6379",
        "runtime_env": _runtime_environment(resources),
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": logging.CRITICAL,
    }


@pytest.mark.usefixtures("never_begun")
def test_an_address_where_no_cluster_is_up_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**options: object) -> None:
        raise ConnectionError("nobody\n  answers")

    monkeypatch.setattr("ray.init", fails)
    monkeypatch.setattr(cluster_module, "check_address", lambda address: None)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with (
        pytest.raises(
            BadInput, match=r"RAY_ADDRESS=10\.0\.0\.1:6379: nobody answers; is it the head"
        ),
        cluster(study_of("a").resources),
    ):
        pass


@pytest.mark.usefixtures("never_begun")
def test_a_fault_of_ours_is_not_told_as_rays(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**options: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("ray.init", fails)
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    with pytest.raises(KeyError, match="ours"), cluster(study_of("a").resources):
        pass


def test_trials_are_held_by_the_machines_that_are_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    machines = [
        {"Alive": True, "Resources": {"CPU": 5.0, "GPU": 1.0, "disk": 9.0}},
        {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0, "disk": 9.0}},
        {"Alive": True, "Resources": {"CPU": 2.5}},
    ]
    monkeypatch.setattr("ray.nodes", lambda: machines)

    def held(**asked: Any) -> int:
        return _workers(study_of("a", resources=asked).resources)

    assert [held(), held(cpu=2), held(workers=3), held(workers=9), held(gpu=1)] == [7, 3, 3, 7, 1]
    with pytest.raises(BadInput) as told:
        held(cpu=2.5, gpu=2, custom={"disk": 1})
    assert str(told.value) == (
        "resources: a trial asks for 2.5 CPU and 2 GPU and 1 disk, but the machines have "
        "5 CPU and 1 GPU, 2.5 CPU and 0 GPU"
    )


@pytest.mark.parametrize("over", [0, 1])
def test_a_folder_may_be_as_long_as_the_path_of_a_socket_allows(
    monkeypatch: pytest.MonkeyPatch, over: int
) -> None:
    """107 bytes, in Linux."""
    inside = f"/ray/session_0000-00-00_00-00-00_000000_{os.getpid()}/sockets/plasma_store"
    with TemporaryDirectory(dir="/tmp") as folder:
        place = Path(folder) / ("l" * (107 + over - len(inside) - len(folder) - 1))
        monkeypatch.setenv("RAY_TMPDIR", str(place))
        if over:
            with pytest.raises(BadInput, match="is too long by 1 bytes"):
                _place()
            assert not place.exists()
        else:
            assert _place() == place / "ray"
            assert list(place.iterdir()) == [place / "ray"]
            assert _place() == place / "ray"  # it may be there already
            assert not list((place / "ray").iterdir())


def test_only_linux_has_ray_look_at_tmpdir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_TMPDIR", raising=False)
    with TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        assert _place() == Path(folder) / "ray"
        monkeypatch.setattr("sys.platform", "darwin")
        assert _place() == Path("/tmp/ray")
