"""An installed recsweep needs no checkout: the wheel brings the spaces and experiments along."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
import yaml

ROOT = Path(__file__).parents[1]
LOG = {"user": "user_id", "item": "item_id", "time": "time", "time_format": "unix_ms"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but what is in the wheel."""
    home = tmp_path_factory.mktemp("wheel")
    source, target = home / "source", home / "installed"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    for name in ("src", "search_spaces", "experiments"):
        leftovers = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=leftovers)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    alone = ["--quiet", "--no-deps"]
    wheel = [*pip, "wheel", *alone, "--no-build-isolation", "-w", str(home), str(source)]
    subprocess.run(wheel, check=True, timeout=120, capture_output=True)
    (built,) = home.glob("recsweep-*.whl")
    into = [*pip, "install", *alone, "--no-index", "--target", str(target), str(built)]
    subprocess.run(into, check=True, timeout=120, capture_output=True)
    return target


def run(installed: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The installed recsweep in `folder`; its dependencies are those of this environment."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_every_space_and_experiment_of_the_repository_is_in_the_wheel(installed: Path) -> None:
    with zipfile.ZipFile(next(installed.parent.glob("recsweep-*.whl"))) as wheel:
        names = set(wheel.namelist())
    for folder in ("search_spaces", "experiments"):
        for path in (ROOT / folder).rglob("*.yaml"):
            assert f"recsweep/{path.relative_to(ROOT)}" in names


def test_an_installed_experiment_is_found_by_its_name(installed: Path, tmp_path: Path) -> None:
    code = "import recsweep; print(recsweep.__file__, recsweep.load_experiment('default').study)"
    where, study = run(installed, tmp_path, "-c", code).stdout.split()
    assert Path(where).is_relative_to(installed)
    assert study == "default"


@pytest.mark.slow
def test_an_installed_recsweep_runs_a_study_in_an_empty_folder(
    installed: Path, tmp_path: Path
) -> None:
    settings = {"learners": 80, "courses": 20, "days": 60, "new_courses": 0.0}
    events = [{"path": "simulator:events", **LOG}]
    experiment = {
        "study": "tiny",
        "data": {"name": "simulated", "simulator": settings, "events": events},
        "folds": {"count": 2, "validation": 0.2, "test": 0.2},
        "targets": {"seen": "keep"},
        "families": ["popularity", "item_knn"],
        "budget": {"trials": 2},
        "confirm": {"seeds": 2, "resamples": 1000},
        "tracking": {"wandb": "off"},
        "resources": {"workers": 1},
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(experiment))
    done = run(installed, tmp_path, "-m", "recsweep", "sweep", "tiny.yaml")
    assert "Sealed test" in done.stdout
    assert done.stderr == ""  # Ray keeps quiet
    study = tmp_path / "results/tiny"
    assert sorted(path.stem for path in study.glob("best/*.yaml")) == ["item_knn", "popularity"]
    trials = pl.read_parquet(study / "trials.parquet")
    assert set(trials["family"]) == {"item_knn", "popularity"}
    assert set(trials["state"]) == {"complete"}
    assert (study / "report.html").stat().st_size > 10_000
