"""The code that documents and docstrings show runs, in the order in which a reader meets it."""

import doctest
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

import recsweep
from recsweep.api.study_folder import StudyFolder
from recsweep.errors import BadInput
from recsweep.records.openings import read_openings

ROOT = Path(__file__).parents[2]
MODULES = [import_module(f"recsweep.{home}") for home in recsweep._HOMES]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log of 40 learners on 12 courses, and the README's experiment as a file."""
    root = tmp_path_factory.mktemp("project")
    random = np.random.default_rng(0)
    rows = [
        {"learner": f"u{u}", "course": f"c{(u + n + int(random.integers(0, 3))) % 12}", "at": t}
        for u in range(40)
        for n, t in enumerate(np.sort(random.integers(0, 100_000, 10)) + 1_000_000_000)
    ]
    pl.DataFrame(rows).write_csv(root / "log.csv")
    events = [{"path": "log.csv", "user": "learner", "item": "course", "time": "at"}]
    experiment = {
        "study": "mine",
        "data": {"name": "log", "events": events},
        "families": ["gru", "item_knn", "popularity"],
        "budget": {"trials": 2, "epochs": 2},
    }
    (root / "mine.yaml").write_text(yaml.safe_dump(experiment))
    return root


@pytest.fixture
def in_project(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(project)
    monkeypatch.setenv("WANDB_MODE", "disabled")
    return project


def code_of(page: str) -> list[str]:
    """The Python code of a page's section on the library."""
    section = (ROOT / page).read_text("utf-8").partition("## As a library")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def run(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(code, "<page>", "exec"), names)
    return names


@pytest.mark.slow
@pytest.mark.usefixtures("trials_here", "pool_here")
def test_the_readmes_library_section_runs_a_study(in_project: Path) -> None:
    (code,) = code_of("README.md")
    study: StudyFolder = run(code)["study"]
    assert study.session is not None
    assert set(study.leaderboard["family"]) == {"gru", "item_knn", "popularity"}


@pytest.mark.slow
def test_the_how_tos_library_section_goes_on_with_the_same_study_and_reads_it(
    in_project: Path,
) -> None:
    search, read = code_of("docs/how-to.md")
    assert run(search)["study"].session is None  # nothing was lacking
    study: StudyFolder = run(read)["study"]
    assert {"config.hidden_size", "config.learning_rate"} <= set(study.trials.columns)
    assert study.curves.columns == ["trial", "epoch", "fold", "metric", "value", "family"]
    assert len(read_openings(study.folder)) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("trials_here", "pool_here")
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_of_docstrings_give_what_they_show(
    in_project: Path, module: ModuleType
) -> None:
    names = {name: getattr(recsweep, name) for name in recsweep.__all__}
    found = doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__)
    for test in sorted(found, key=lambda test: test.lineno or 0):
        test.globs.update({**names, **test.globs})
        runner = doctest.DocTestRunner(verbose=False)
        said: list[str] = []
        assert runner.run(test, out=said.append).failed == 0, "".join(said)
    # The next examples know of no ensemble, which would want a confirmation of its own.
    (in_project / "results/mine/best/ensemble.yaml").unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["load_experiment", "load_study", "prepare", "sweep", "select"])
def test_what_one_calls_first_has_an_example(name: str) -> None:
    assert ">>>" in getattr(recsweep, name).__doc__


def test_a_committed_study_is_read_without_its_trials() -> None:
    study = recsweep.load_study(ROOT / "examples/reference/default")
    assert study.leaderboard.columns[:3] == ["family", "ndcg@10", "sd"]
    assert study.leaderboard["ndcg@10"].is_sorted(descending=True)
    assert study.best("gru").family == "gru"
    assert study.verdicts.height == 36  # pairs of nine families
    assert (~study.verdicts["exploratory"]).sum() == 5  # that were declared
    with pytest.raises(BadInput, match=r"has no study\.json"):
        _ = study.trials
    with pytest.raises(BadInput, match="no configuration of grue was selected; gru, gru_"):
        study.best("grue")


def test_a_lower_score_leads_where_less_is_better() -> None:
    study = recsweep.load_study(ROOT / "examples/reference/purchase_simulated")
    assert study.leaderboard["log_loss"].is_sorted()


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no study lies here"):
        recsweep.load_study(tmp_path)


def test_a_notebook_shows_the_answer_first_then_families() -> None:
    study = recsweep.load_study(ROOT / "examples/reference/default")
    shown = study._repr_html_()
    assert shown.index(study.answer.sentence.replace("&", "&amp;")) < shown.index("<table>")
    assert shown.count("significant</td>") == 5
    for row in study.leaderboard.iter_rows(named=True):
        assert f"<td>{row['family']}</td><td>{row['ndcg@10']:.4f} ± {row['sd']:.4f}</td>" in shown


def test_a_study_that_was_not_confirmed_says_so_in_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "best").mkdir()
    best = (ROOT / "examples/reference/default/best/gru.yaml").read_text("utf-8")
    told = best.replace("description: Tuned", "description: <b>Tuned")
    (tmp_path / "best/gru.yaml").write_text(told)
    study = recsweep.load_study(tmp_path)
    assert "there is no verdict of the sealed test" in study._repr_html_()
    assert "&lt;b&gt;Tuned" in study._repr_html_()
    with pytest.raises(BadInput, match="nothing was confirmed yet"):
        _ = study.verdicts
