"""`import recsweep` is quick, and offers what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

import recsweep

SLOW = {"torch", "ray", "wandb", "optuna", "polars", "pandas", "pydantic", "rich", "typer"}


def imported_by(code: str) -> set[str]:
    """Packages that a new process has imported after it."""
    code += "; import sys; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_recsweep_imports_nothing_that_is_slow() -> None:
    assert not SLOW & imported_by("import recsweep")


def test_the_command_lines_help_imports_neither_torch_nor_ray_nor_polars() -> None:
    found = imported_by(
        "from typer.testing import CliRunner; from recsweep.cli import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0"
    )
    assert "typer" in found
    assert not {"torch", "ray", "wandb", "optuna", "polars"} & found


def test_what_is_kept_of_a_study_is_read_without_what_trains_and_searches() -> None:
    """Its families are in `families/`, beside their models: who asks one waits for torch."""
    found = imported_by(
        "import recsweep; study = recsweep.load_study('examples/reference/default'); "
        "assert study.best('gru').epochs and len(study.leaderboard) and len(study.verdicts)"
    )
    assert "polars" in found
    assert not {"torch", "ray", "wandb", "optuna"} & found


def test_a_searched_study_is_selected_from_reported_and_tracked_without_ray() -> None:
    stages = ("select.stage", "report", "tracked")
    found = imported_by("; ".join(f"import recsweep.stages.{name}" for name in stages))
    assert "wandb" in found
    assert "ray" not in found


def test_a_worker_trains_without_what_proposes_and_what_logs() -> None:
    found = imported_by("import recsweep.search.worker")
    assert {"torch", "ray"} <= found
    assert not {"wandb", "optuna"} & found


@pytest.mark.parametrize("name", recsweep.__all__)
def test_every_name_is_found_documented_and_listed(name: str) -> None:
    assert (getattr(recsweep, name).__doc__ or "").strip()
    assert name in dir(recsweep)


def test_types_are_told_of_just_the_names_that_are_offered() -> None:
    text = Path(recsweep.__file__).read_text("utf-8")
    told = text.partition("if TYPE_CHECKING:\n")[2].partition("\n\n")[0]
    names = [n for line in told.splitlines() for n in line.partition(" import ")[2].split(", ")]
    assert sorted(names) == recsweep.__all__ == sorted(recsweep._HOME_OF)


def test_a_name_that_it_has_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'swep'"):
        getattr(recsweep, "swep")  # noqa: B009
