"""Tasks are found by name, ours and those of other packages."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from recsweep.config.schema import task as room
from recsweep.config.schema import written
from recsweep.errors import BadInput


@pytest.fixture(autouse=True)
def _found_anew() -> Iterator[None]:
    caches = (room.task_packages, room.metric_kinds)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def brings(monkeypatch: pytest.MonkeyPatch, name: str, package: str) -> None:
    point = EntryPoint(name, package, room.GROUP)
    monkeypatch.setattr(room, "entry_points", lambda group: [point] if group == room.GROUP else [])


def test_every_package_of_ours_is_a_task() -> None:
    names = ("next_item", "purchase", "text", "uplift")
    assert dict(room.task_packages()) == {name: f"recsweep.tasks.{name}" for name in names}


def test_an_experiment_is_checked_without_torch_or_numpy() -> None:
    path = Path(__file__).parents[2] / "experiments" / "purchase_simulated.yaml"
    code = (
        "import sys; from pathlib import Path; from recsweep.config.files import load_experiment; "
        f"load_experiment(Path({str(path)!r})); print({{'torch', 'numpy'}} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_an_entry_point_brings_another(monkeypatch: pytest.MonkeyPatch) -> None:
    brings(monkeypatch, "same_again", "recsweep.tasks.purchase")
    assert room.task_packages()["same_again"] == "recsweep.tasks.purchase"
    assert room.question_of("same_again") is room.question_of("purchase")


def test_a_name_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    brings(monkeypatch, "purchase", "elsewhere")
    with pytest.raises(BadInput, match=r"the task's name is taken by recsweep\.tasks\.purchase"):
        room.task_packages()


def test_a_package_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    brings(monkeypatch, "broken", "no_such_package")
    with pytest.raises(BadInput, match=r"the task broken: no_such_package\.settings can't be load"):
        room.question_of("broken")


def test_a_metric_that_means_something_else_in_another_task_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    better = room.Question(metrics={"log_loss": room.MetricKind("log loss")}, metric="log_loss")
    asked = {"odd": better, "purchase": room.question_of("purchase")}
    monkeypatch.setattr(room, "task_packages", lambda: asked)
    monkeypatch.setattr(room, "question_of", asked.__getitem__)
    with pytest.raises(BadInput, match="the metric log_loss means something else in task"):
        room.metric_kinds()


@pytest.mark.parametrize(
    ("key", "shown"),
    [("ndcg@10", "NDCG@10"), ("log_loss", "log loss"), ("recall@5", "recall@5"), ("else", "else")],
)
def test_a_metric_is_written_as_people_write_it(key: str, shown: str) -> None:
    assert written(key) == shown
