"""A whole run with secrets in its environment and a mirror: what is written, and what is not."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from test_cli import write_project, written

SECRETS = {
    "WANDB_API_KEY": "planted0wandb0key0" + "a1" * 11,  # 40 characters, as W&B wants them
    "AWS_SECRET_ACCESS_KEY": "planted-aws-secret-key",
    "AWS_SESSION_TOKEN": "planted-aws-session-token",
    "COMPANY_TOKEN": "planted-company-token",
    "DATABASE_URL": "postgres://user:planted-password@host/db",
}
RUN = [sys.executable, "-c", "from recsweep.cli import main; main()"]


def recsweep(root: Path, ray: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    variables = {
        "WANDB_MODE": "offline",
        "WANDB_SERVICE": "3-1-unix-/of/a/process/that/is/gone",
        "RAY_TMPDIR": str(ray),
        "COLUMNS": "100",
        **SECRETS,
    }
    return subprocess.run(
        [*RUN, *arguments], cwd=root, env={**os.environ, **variables},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def ray_folder() -> Iterator[Path]:
    """Short, because the names of sockets have a limit; Ray writes its logs there."""
    with tempfile.TemporaryDirectory(prefix="rs", dir="/tmp", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, ray_folder: Path) -> Path:
    """A finished study with a mirror beside it."""
    root = tmp_path_factory.mktemp("safe")
    families = {name: f"search_spaces/{name}.yaml" for name in ("item_knn", "popularity")}
    write_project(
        root,
        families=families,
        budget={"trials": 2, "epochs": 2},
        confirm={"seeds": 2, "resamples": 1000},
        storage={"mirror": "mirror"},
    )
    done = recsweep(root, ray_folder, "sweep", "tiny.yaml")
    assert done.returncode == 0, done.stderr
    (root / "terminal.txt").write_text(done.stdout + done.stderr)
    return root


@pytest.mark.slow
def test_no_file_that_a_run_writes_holds_a_secret(project: Path, ray_folder: Path) -> None:
    seen = set()
    for path, content in written(project, ray_folder):
        seen.add(path.suffix)
        for name, secret in SECRETS.items():
            assert secret.encode() not in content, f"{name} is in {path}"
    assert {".json", ".yaml", ".html", ".parquet", ".wandb", ".log", ".md"} <= seen
    assert [p for p in ray_folder.rglob("*.out") if p.stat().st_size] or list(
        ray_folder.rglob("raylet*")
    )


@pytest.mark.slow
def test_a_fresh_machine_goes_on_from_the_mirror(
    project: Path, ray_folder: Path, tmp_path: Path
) -> None:
    fresh = tmp_path / "fresh"
    shutil.copytree(project, fresh, ignore=shutil.ignore_patterns("results", "data"))
    assert not (fresh / "results").exists()
    again = recsweep(fresh, ray_folder, "search", "tiny.yaml", "--quiet")
    assert again.returncode == 0, again.stderr
    assert "Every trial of this study is finished" in again.stdout
    before, after = project / "results/tiny", fresh / "results/tiny"
    for name in ("best/item_knn.yaml", "openings.json", "report.html"):
        assert (after / name).read_bytes() == (before / name).read_bytes(), name
    assert (after / "optuna.log").read_bytes().startswith((before / "optuna.log").read_bytes())
    trials = pl.read_parquet(before / "trials.parquet")
    assert pl.read_parquet(after / "trials.parquet").equals(trials)
