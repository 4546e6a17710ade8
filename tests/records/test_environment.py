import json
import subprocess
from pathlib import Path

import pytest

from recsweep.records.environment import changed, code_version, dependency_versions, environment


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "src" / "package"
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return folder


def test_a_clean_tree_has_a_commit_and_no_changes(package: Path) -> None:
    found = code_version(package)
    assert len(found["commit"] or "") == 40
    assert found["changes"] is None


def test_every_uncommitted_change_of_the_code_shows(package: Path) -> None:
    seen = {code_version(package)["changes"]}
    (package / "a.py").write_text("x = 2\n")
    seen.add(code_version(package)["changes"])
    (package / "b.py").write_text("y = 1\n")
    seen.add(code_version(package)["changes"])
    (package / "b.py").write_text("y = 2\n")
    seen.add(code_version(package)["changes"])
    assert len(seen) == 4


def test_changes_elsewhere_are_not_the_codes(package: Path) -> None:
    (package.parent / "notes.txt").write_text("new")
    (package / "data.bin").write_bytes(b"x")
    assert code_version(package)["changes"] is None


def test_code_that_lies_in_no_repository_has_no_commit(tmp_path: Path) -> None:
    assert code_version(tmp_path) == {"commit": None, "changes": None}


def test_a_package_installed_below_somebodys_repository_is_no_part_of_it(package: Path) -> None:
    installed = package.parents[1] / ".venv/site-packages/package"
    installed.mkdir(parents=True)
    (installed / "a.py").write_text("x = 1\n")
    assert code_version(installed) == {"commit": None, "changes": None}


def test_versions_cover_what_recsweep_needs_and_what_that_needs() -> None:
    versions = dependency_versions()
    assert {"torch", "optuna", "ray", "numpy", "sympy"} <= versions.keys()
    assert "pytest" not in versions


def test_the_environment_is_plain_and_holds_no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "s3cr3t-k3y")
    monkeypatch.setenv("HOME_OF_SOMEBODY", "s3cr3t-k3y")
    text = json.dumps(environment())
    assert "s3cr3t-k3y" not in text
    assert json.loads(text)["threads"] == 1


def test_what_differs_between_two_environments_is_named() -> None:
    before = {"python": "3.11", "packages": {"torch": "2.13", "gone": "1"}}
    now = {"python": "3.12", "packages": {"torch": "2.13"}}
    assert changed(before, now) == ["python: 3.11 → 3.12", "packages.gone: 1 → None"]
    assert changed(now, now) == []
