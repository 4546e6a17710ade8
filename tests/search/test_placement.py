"""Which machine and which GPU a trial gets: two machines with two pretended GPUs each."""

import json
import os
import subprocess
import sys
import venv
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sweeps import study_of

from recsweep.config.schema import Resources
from recsweep.search import placement
from recsweep.search.placement import bundle, places, request

DIARY = Path(__file__).parent.parent / "diary.py"
NO_CODE = "from importlib.util import find_spec as f; assert f('ray') and not f('recsweep')"
TWO_MACHINES = """
import sys
from ray.cluster_utils import Cluster
machine = {"num_cpus": 1, "num_gpus": 2}
both = Cluster(initialize_head=True, head_node_args={**machine, "include_dashboard": False})
both.add_node(**machine)
print(both.address, flush=True)
sys.stdin.read()
both.shutdown()
"""
Entries = list[dict[str, Any]]


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Two, of two trials at once: on half a GPU each, and on a whole one.

    The machines' Python has Ray and the libraries, but can't import recsweep.
    """
    root = tmp_path_factory.mktemp("machines")
    venv.create(root / "bare", symlinks=True)
    python = root / "bare/bin/python"
    (own,) = (p for p in sys.path if p.endswith("site-packages"))
    (packages,) = root.glob("bare/lib/python*/site-packages")
    (packages / "libraries.pth").write_text(own + "\n")  # an editable install's .pth is not read
    here: Any = {"cwd": root, "env": {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}}
    subprocess.run([python, "-c", NO_CODE], check=True, **here)
    machines = subprocess.Popen(
        [python, "-c", TWO_MACHINES],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **here,
    )  # fmt: skip
    assert machines.stdout is not None
    try:
        done = subprocess.run(
            [sys.executable, DIARY, "4", "0.5", "2", "1", "2"],
            env={**os.environ, "RAY_ADDRESS": machines.stdout.readline().strip()},
            capture_output=True, text=True, timeout=540, check=False,
        )  # fmt: skip
    finally:
        machines.communicate()  # its input ends, and so do they
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def diaries(sweeps: list[dict[str, Any]]) -> tuple[Entries, Entries]:
    halves, wholes = (sweep["entries"] for sweep in sweeps)
    return halves, wholes


@pytest.mark.slow
def test_an_address_is_all_that_a_sweep_needs_on_machines_that_have_no_code(
    sweeps: list[dict[str, Any]],
) -> None:
    for sweep in sweeps:
        assert sweep["workers"] == 2
        assert len(sweep["ended"]) == 4
        assert set(sweep["ended"]) <= {"complete", "pruned"}


def sharing(entries: Entries) -> dict[tuple[str, str], set[int]]:
    """(machine, its GPUs as a process sees them) -> the processes."""
    found = defaultdict(set)
    for entry in entries:
        found[entry["node"], entry["visible"]].add(entry["pid"])
    return found


def test_a_process_sees_the_gpu_that_it_was_given_and_no_other(
    diaries: tuple[Entries, Entries],
) -> None:
    for entries in diaries:
        assert len({entry["pid"] for entry in entries}) == 2
        seen = {(entry["pid"], entry["gpus"], entry["visible"]) for entry in entries}
        assert len(seen) == 2  # the same in every epoch, whichever trial it was
        assert {gpus for _, gpus, _ in seen} <= {"0", "1"}
        assert all(gpus == visible for _, gpus, visible in seen)


def test_fractions_fill_a_gpu_before_any_other_is_touched(
    diaries: tuple[Entries, Entries],
) -> None:
    halves, _ = diaries
    assert [len(processes) for processes in sharing(halves).values()] == [2]


def test_whole_gpus_are_never_shared_and_spread_over_machines(
    diaries: tuple[Entries, Entries],
) -> None:
    _, wholes = diaries
    found = sharing(wholes)
    assert [len(processes) for processes in found.values()] == [1, 1]
    assert len({machine for machine, _ in found}) == 2


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"cpu": 1}, 4), ({"cpu": 1, "gpu": 1}, 2), ({"cpu": 0.5, "gpu": 0.25}, 8),
        ({"cpu": 0.25, "gpu": 0.3}, 6), ({"cpu": 1, "custom": {"a100": 1}}, 3),
        ({"cpu": 1, "custom": {"other": 0.2}}, 0), ({"cpu": 8}, 0), ({"cpu": 0.5, "gpu": 2}, 1),
        ({"cpu": 0.1, "custom": {"part": 0.1}}, 3), ({"cpu": 0.5, "gpu": 0.4}, 4),
    ],
)  # fmt: skip
def test_places_are_counted_by_the_scarcest_resource(asked: dict[str, object], wanted: int) -> None:
    machine = {"CPU": 4.0, "GPU": 2.0, "a100": 3.0, "part": 0.3}  # .3 / .1 is a little less than 3
    assert places(machine, study_of("a", resources=asked).resources) == wanted


def resources(**asked: object) -> Resources:
    return study_of("a", resources=asked).resources


def test_a_trial_holds_what_it_asks_for_by_rays_names() -> None:
    assert bundle(resources()) == {"CPU": 1}
    asked = resources(cpu=0.5, gpu=2, custom={"a100": 1})
    assert bundle(asked) == {"CPU": 0.5, "GPU": 2, "a100": 1}


@pytest.mark.parametrize(("gpu", "together"), [(0, False), (0.5, True), (1, False), (2, False)])
def test_only_those_that_share_a_gpu_are_kept_together(gpu: float, together: bool) -> None:
    asked = request(resources(gpu=gpu))
    assert asked.bundles == [bundle(resources(gpu=gpu))]
    assert asked.strategy == ("STRICT_PACK" if together else "PACK")
    assert isinstance(asked, placement._Together) == together


def test_the_machine_with_the_least_room_that_is_left_is_preferred(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Trials of half a GPU; `large` has two GPUs, the others one."""

    def group(machine: str, state: str = "CREATED", gpu: float = 0.5) -> dict[str, Any]:
        bundles = {0: {"CPU": 1.0, "GPU": gpu}}
        return {"state": state, "bundles_to_node_id": {0: machine}, "bundles": bundles}

    sizes = {"large": 2.0, "small": 1.0, "gone": 1.0}
    nodes = [
        {"NodeID": name, "Alive": name != "gone", "Resources": {"CPU": 8.0, "GPU": gpus}}
        for name, gpus in sizes.items()
    ]
    asked: list[tuple[object, ...]] = []
    waited: list[float] = []

    def made(bundles: Any, strategy: str, *, _soft_target_node_id: str | None) -> Any:
        asked.append((bundles, strategy, _soft_target_node_id))
        return SimpleNamespace(wait=waited.append)

    groups: list[dict[str, Any]] = []
    monkeypatch.setattr("ray.nodes", lambda: nodes)
    monkeypatch.setattr(placement, "placement_group_table", lambda: dict(enumerate(groups)))
    monkeypatch.setattr(placement, "placement_group", made)
    wanted = request(resources(gpu=0.5))
    for more in (
        [],
        [group("small", "REMOVED"), group("small", "PENDING")],  # they hold nothing
        [group("small"), group("small")],
        [group("large")],
        [group("large", gpu=1.5)],
    ):
        groups += more
        assert wanted.to_placement_group() is not None
    assert [target for *_, target in asked] == ["small", "small", "large", "large", None]
    assert asked[0][:2] == ([{"CPU": 1.0, "GPU": 0.5}], "STRICT_PACK")
    assert waited == [1] * 4  # where all are taken there is nothing to wait for
