"""How many cores a process may use."""

from pathlib import Path

import pytest

from recsweep.training import cores as module
from recsweep.training.cores import usable_cores


@pytest.fixture
def eight_allowed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Affinity allows 8 of a machine's 64; the folder of cgroups, which is empty."""
    monkeypatch.setattr("os.sched_getaffinity", {0: range(8)}.__getitem__, raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    monkeypatch.setattr(module, "CGROUPS", tmp_path)
    return tmp_path


@pytest.mark.usefixtures("eight_allowed")
def test_cores_are_those_that_affinity_allows() -> None:
    assert usable_cores() == 8


@pytest.mark.parametrize(
    ("told", "cores"),
    [
        ("max 100000", 8),
        ("400000 100000", 4),
        ("250000 100000", 2),  # whole ones
        ("50000 100000", 1),  # a part of one is one
        ("3200000 100000", 8),
        ("", 8),
        ("nonsense", 8),
    ],
)
def test_a_containers_quota_leaves_whole_cores_and_one_at_least(
    eight_allowed: Path, told: str, cores: int
) -> None:
    (eight_allowed / "cpu.max").write_text(told + "\n")
    assert usable_cores() == cores


@pytest.mark.parametrize(("quota", "cores"), [(300_000, 3), (-1, 8), (0, 8), (20_000, 1)])
def test_the_first_version_of_cgroups_is_asked_as_well(
    eight_allowed: Path, quota: int, cores: int
) -> None:
    (eight_allowed / "cpu").mkdir()
    (eight_allowed / "cpu/cpu.cfs_quota_us").write_text(f"{quota}\n")
    (eight_allowed / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores() == cores


@pytest.mark.parametrize(("there", "cores"), [(3, 3), (None, 1)])
def test_a_system_without_affinity_tells_its_cores_and_one_that_tells_none_has_one(
    eight_allowed: Path, monkeypatch: pytest.MonkeyPatch, there: int | None, cores: int
) -> None:
    assert not list(eight_allowed.iterdir())
    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: there)
    assert usable_cores() == cores
