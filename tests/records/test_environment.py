import hashlib
import json
import platform
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray  # noqa: F401  as in what is compared with
import torch
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import recsweep
from recsweep.config.schema import Resources
from recsweep.records import environment as module
from recsweep.records.environment import (
    PACKAGE,
    changed,
    code_version,
    cpu_model,
    dependency_versions,
    environment,
)
from recsweep.training.cores import usable_cores


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


def head(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


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


@pytest.mark.parametrize("name", ["new.py", "new.so", "ignored.py", "models/kernel.cpp"])
def test_code_that_no_commit_holds_is_no_clean_tree(package: Path, name: str) -> None:
    (package.parent.parent / ".gitignore").write_text("ignored.py\n")
    (package / "models").mkdir()
    (package / name).write_text("y = 1\n")
    assert code_version(package)["changes"] is not None


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_was_told_not_to_look_at_is_never_clean(package: Path, mark: str) -> None:
    git(package, "update-index", mark, "a.py")
    before = code_version(package)["changes"]
    (package / "a.py").write_text("x = 2\n")
    assert None not in (before, code_version(package)["changes"])
    assert code_version(package)["changes"] != before


def test_a_link_that_leads_nowhere_is_a_change_and_no_failure(package: Path) -> None:
    (package / ".#a.py").symlink_to("somebody@machine.1")  # as an editor marks what is open
    assert code_version(package)["changes"] is not None


@pytest.mark.parametrize(
    ("place", "tracked"),
    [
        (".venv/lib/python3.11/site-packages", False),
        (".venv/lib/python3.11/site-packages", True),
        ("ignored/checkout/src", False),
        ("src", False),  # at the top level, and in no commit
        ("third_party/recsweep/src", True),
    ],
)
def test_a_repository_of_another_project_says_nothing_about_the_code(
    tmp_path: Path, place: str, tracked: bool
) -> None:
    (tmp_path / "theirs.py").write_text("z = 1\n")
    (tmp_path / ".gitignore").write_text(".venv/\nignored/\n")
    package = tmp_path / place / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".gitignore", "theirs.py")
    if tracked:
        git(tmp_path, "add", "-f", str(package))
    git(tmp_path, "commit", "-q", "-m", "theirs")
    assert code_version(package) == {"commit": None, "changes": None}


def test_a_checkout_inside_another_repository_has_its_own_commit(tmp_path: Path) -> None:
    own = tmp_path / "vendor" / "recsweep"
    package = own / "src" / "package"
    package.mkdir(parents=True)
    (package / "a.py").write_text("x = 1\n")
    for root in (tmp_path, own):
        git(root, "init", "-q")
    git(own, "add", ".")
    git(own, "commit", "-q", "-m", "ours")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "theirs")
    assert code_version(package) == {"commit": head(own), "changes": None}


def test_variables_of_a_hook_of_another_repository_lead_nowhere(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    git(other, "commit", "-q", "--allow-empty", "-m", "theirs")
    own = head(package)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
    (package / "b.py").write_text("y = 1\n")
    found = code_version(package)
    assert found["commit"] == own
    assert found["changes"] is not None


def test_where_git_fails_nothing_is_called_clean(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def slow(command: list[str], **options: object) -> object:
        if "diff" in command:
            raise subprocess.TimeoutExpired(command, 20)
        return run(command, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", slow)
    assert code_version(package) == {"commit": None, "changes": None}


def test_changes_elsewhere_are_not_the_codes(package: Path) -> None:
    (package.parent / "notes.txt").write_text("new")
    (package / "data.bin").write_bytes(b"x")
    assert code_version(package)["changes"] is None


def test_code_that_lies_in_no_repository_has_no_commit(tmp_path: Path) -> None:
    assert code_version(tmp_path) == {"commit": None, "changes": None}


def test_versions_cover_what_recsweep_needs_and_what_that_needs() -> None:
    versions = dependency_versions()
    assert {"torch", "optuna", "ray", "numpy", "sympy"} <= versions.keys()
    assert "pytest" not in versions


TELL = """
import json, sys
import ray  # which adds packages of its own to the path, in every command that writes a record
from importlib.metadata import distribution, PackageNotFoundError
try:
    distribution("recsweep")
except PackageNotFoundError:
    from recsweep.records.environment import environment
    json.dump(environment(), sys.stdout)
"""


EXTRAS = {"fastapi", "mlflow-skinny", "nvidia-ml-py", "onnx", "onnxruntime", "uvicorn"}


def with_what_they_need(packages: set[str]) -> set[str]:
    found, queue = set[str](), [*packages]
    while queue:
        if (name := queue.pop()) not in found:
            found.add(name)
            with suppress(PackageNotFoundError):
                asked = [r for r in requires(name) or () if "extra ==" not in r]
                queue += [canonicalize_name(Requirement(each).name) for each in asked]
    return found


def test_code_on_the_path_alone_tells_the_same_as_an_installed_one(tmp_path: Path) -> None:
    """As with `py_modules` of `ray job submit`: no metadata of ours anywhere."""
    (libraries,) = (Path(p) for p in sys.path if p.endswith("site-packages"))
    bare = tmp_path / "site-packages"
    bare.mkdir()
    for entry in libraries.iterdir():
        if "recsweep" not in entry.name:
            (bare / entry.name).symlink_to(entry)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "recsweep").symlink_to(Path(recsweep.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c",
         f"import sys; sys.path[:0] = [{str(tmp_path / 'code')!r}, {str(bare)!r}]{TELL}"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert told["recsweep"] == recsweep.__version__
    asked_for = dependency_versions()
    assert asked_for.items() <= told["packages"].items()
    # Nobody says what is an extra, whose own needs come along where it is installed.
    assert told["packages"].keys() - asked_for.keys() <= with_what_they_need(EXTRAS)


def test_a_gpu_that_does_not_answer_costs_no_study(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(index: int) -> str:
        raise RuntimeError("CUDA error: unknown error")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lost)
    assert environment()["gpus"] == ["unknown"]


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


def test_the_configuration_that_variables_name_is_gits_own(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Such as safe.directory, where a container's user is not the checkout's owner.
    (tmp_path / "config").write_text("[broken\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    assert code_version(package) == {"commit": None, "changes": None}


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


def test_changes_are_a_digest_of_the_difference_and_of_what_git_does_not_hold(
    package: Path,
) -> None:
    (package / "b.py").write_text("y = 1\n")
    (package / "a.so").write_bytes(b"\x00")
    new = b"a.so\0\x00" + b"b.py\0y = 1\n"
    assert code_version(package) == {"commit": head(package), "changes": digest(new)}
    (package / "a.py").write_text("x = 2\n")
    command = ["git", "-C", str(package), "diff", "HEAD", "--", "."]
    difference = subprocess.run(command, check=True, capture_output=True).stdout
    assert code_version(package)["changes"] == digest(difference, new)


@pytest.mark.parametrize("mark", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_does_not_look_at_is_in_the_digest_by_its_name(package: Path, mark: str) -> None:
    (package / "z.py").write_text("z = 3\n")
    git(package, "add", "z.py")
    git(package, "commit", "-q", "-m", "second")
    git(package, "update-index", mark, "a.py")
    assert code_version(package)["changes"] == digest(b"a.py\0x = 1\n")


def test_a_package_at_the_top_of_its_repository_has_its_commit(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    assert code_version(folder) == {"commit": head(tmp_path), "changes": None}


def test_without_git_nothing_is_known(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    found = code_version(package)
    assert found == {"commit": None, "changes": None}
    found["commit"] = "changed by a caller"
    assert code_version(package)["commit"] is None


CPUINFO = "processor\t: 0\nmodel name\t:  A Processor @ 2 GHz \nmodel name\t: Another\n"


@pytest.mark.parametrize(
    ("text", "processor", "name"),
    [
        (CPUINFO, "x86", "A Processor @ 2 GHz"),
        ("processor\t: 0\n", "x86", "x86"),
        (None, "", "arm64"),
    ],
)
def test_a_processor_is_told_as_the_system_names_it(
    text: str | None, processor: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path, encoding: str) -> str:
        assert str(path) == "/proc/cpuinfo"
        if text is None:
            raise OSError
        return text

    monkeypatch.setattr(Path, "read_text", read)
    monkeypatch.setattr(platform, "processor", lambda: processor)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert cpu_model() == name


ASKED: dict[str, list[str] | None] = {
    "recsweep": ["Torch_Geometric>=2", "numpy (<3)", 'ray; extra == "cluster"', "gone"],
    "torch-geometric": ["numpy", "re.quests[socks]>=2"],
    "numpy": None,
    "re-quests": ["torch_geometric"],
}


def installed(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    def distribution(name: str) -> Any:
        if name not in ASKED or name in missing:
            raise PackageNotFoundError
        return SimpleNamespace(version=f"{name} 1.0")

    def requires(name: str) -> list[str] | None:
        if name in missing:
            raise PackageNotFoundError
        return ASKED[name]

    monkeypatch.setattr(module, "distribution", distribution)
    monkeypatch.setattr(module, "requires", requires)


def test_versions_are_of_what_is_asked_for_by_any_name_and_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed(monkeypatch)
    assert list(dependency_versions().items()) == [
        ("numpy", "numpy 1.0"), ("re-quests", "re-quests 1.0"),
        ("torch-geometric", "torch-geometric 1.0"),
    ]  # fmt: skip


def test_without_metadata_of_its_own_what_the_source_imports_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed(monkeypatch, "recsweep")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.py").write_text("import os\n    from torch_geometric.nn import x\n")
    (tmp_path / "c.py").write_text("# import numpy\n")
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    names = {"torch_geometric": ["Torch.Geometric"], "numpy": ["numpy"], "re": ["re_quests"]}
    monkeypatch.setattr(module, "packages_distributions", lambda: names)
    assert module._requirements() == ["torch-geometric"]


def test_the_environment_tells_the_machine_and_what_training_has_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda n: f"GPU {n}")
    monkeypatch.setattr(module, "engine_of", lambda resources: f"of {resources.threads}")
    found = environment(Resources(cpu=3))
    assert (found["threads"], found["engine"], found["gpus"]) == (3, "of 3", ["GPU 0", "GPU 1"])
    assert (found["cores"], found["python"]) == (usable_cores(), platform.python_version())
    assert (found["os"], found["cuda"]) == (platform.platform(), torch.version.cuda)
    assert (found["recsweep"], found["cpu"]) == (recsweep.__version__, cpu_model())
    assert found["code"] == code_version(PACKAGE)
    assert found["simd"] == torch.backends.cpu.get_cpu_capability()
    assert environment()["threads"] == Resources().threads


def test_differences_are_told_in_the_order_of_the_record_and_then_of_what_is_new() -> None:
    before = {"b": 1, "a": {"x": 1, "y": {"z": 2}}, "c": {"only": "a mapping before"}}
    now = {"new": 0, "a": {"x": 2, "y": {"z": 3}}, "b": 1, "c": 5}
    assert changed(before, now) == [
        "a.x: 1 → 2", "a.y.z: 2 → 3", "c: {'only': 'a mapping before'} → 5", "new: None → 0"
    ]  # fmt: skip
