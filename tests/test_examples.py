"""The notebooks run, and the outputs that they are committed with are those that one gets."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def execute(path: Path, folder: Path) -> Any:
    """Its cells, run from the top in `folder`; a cell that fails is an error."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(folder)}}
    return NotebookClient(notebook, timeout=240, resources=resources).execute()


def shown(notebook: Any) -> list[str]:
    """What the cells show as text."""
    return [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_as_it_came_out_of_one_run_from_the_top(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [o for cell in code for o in cell.outputs if o.get("name") == "stderr"]
    assert str(ROOT) not in path.read_text("utf-8")


def test_a_finished_study_is_read_as_the_notebook_shows_it() -> None:
    path = ROOT / "examples" / "read_a_finished_study.ipynb"
    before = shown(nbformat.read(path, as_version=4))  # type: ignore[no-untyped-call]
    assert shown(execute(path, path.parent)) == before


@pytest.mark.long
def test_a_study_in_ten_minutes_runs_from_the_top_in_an_empty_folder(tmp_path: Path) -> None:
    path = Path(shutil.copy(ROOT / "examples" / "a_study_in_ten_minutes.ipynb", tmp_path))
    ran = execute(path, tmp_path)
    assert (tmp_path / "results/first/report.html").exists()
    assert "True" in shown(ran)  # every figure of the rebuilt configuration agrees
