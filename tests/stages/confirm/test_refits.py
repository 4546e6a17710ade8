"""One refit after another on a test that is laid out once for each set of features."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from worlds import experiment_of

from recsweep.errors import WorkFailed
from recsweep.stages.confirm import refits
from recsweep.stages.confirm.refits import Bench, Job, RefitEnded, score_all
from recsweep.tasks.registry import TASKS
from recsweep.training.trial import Diverged

CPU = torch.device("cpu")


class Model:
    """Knows what it was trained on."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def state(self) -> dict[str, Any]:
        return {"a": np.zeros(3, np.float32), "b": np.zeros(5, np.float64)}


class Laid:
    """A test that notes what is asked of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, lists: bool = True) -> None:
        self.trained: list[tuple[Any, ...]] = []
        self.laid: list[tuple[Any, ...]] = []
        self.time = iter([10.0, 13.0, 17.0, 20.0, 21.0, 23.0])
        families = {
            "gru": {"space": "gru.yaml", "features": ["title"]},
            "lstm": {"space": "lstm.yaml", "features": ["title"]},
            "popularity": {"space": "popularity.yaml", "features": []},
        }
        fold = SimpleNamespace(validation="targets", training="training", n_items=7)
        task = SimpleNamespace(
            name="next_item", lists=self.lists if lists else None, scorer=self.scorer
        )
        self.test: Any = SimpleNamespace(
            fold=fold, task=task, categories="about",
            experiment=experiment_of(families=families, resources={"precision": "bf16"}),
        )  # fmt: skip
        monkeypatch.setattr(refits, "with_features", self.chosen)
        monkeypatch.setattr(refits, "refit", self.refit)
        monkeypatch.setattr("time.perf_counter", lambda: next(self.time))

    def chosen(self, fold: Any, features: Any) -> Any:
        return SimpleNamespace(**{**vars(fold), "training": features})

    def scorer(self, *asked: Any) -> Any:
        self.laid.append(asked)
        return SimpleNamespace(outcomes=lambda model: ("outcomes of", model.seed))

    def lists(self, *asked: Any) -> Any:
        self.laid.append(asked)
        return SimpleNamespace(lists=lambda model: ("lists of", model.seed))

    def refit(self, kind: str, config: Any, training: Any, **rest: Any) -> Model:
        if kind == "bad":
            raise Diverged("the training loss is nan in epoch 2")
        assert rest.pop("task") is self.test.task
        self.trained.append((kind, config, training, rest))
        return Model(rest["seed"])


def job(family: str, seed: int = 5, kind: str = "gru") -> Job:
    return Job(family, kind, {"x": 1}, epochs=3, seed=seed, work=1.0)


def test_a_refit_is_trained_then_asked_and_what_it_took_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laid = Laid(monkeypatch)
    found: Any = Bench(laid.test, CPU).score(job("gru"))
    rest = {"epochs": 3, "seed": 5, "device": CPU, "precision": "bf16"}
    assert laid.trained == [("gru", {"x": 1}, ("title",), rest)]
    assert (found.job, found.outcomes, found.lists) == (
        job("gru"),
        ("outcomes of", 5),
        ("lists of", 5),
    )
    assert (found.fit_seconds, found.score_seconds) == (3.0, 4.0)
    assert found.model_bytes == 3 * 4 + 5 * 8
    assert found.job.search == 1


def test_the_test_is_laid_out_once_for_families_with_the_same_features(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    laid = Laid(monkeypatch)
    bench = Bench(laid.test, CPU)
    for family in ("gru", "lstm"):
        bench.score(job(family))
    metric = laid.test.experiment.metric
    assert laid.laid == [
        ("targets", ("title",), metric, CPU, "about"),
        ("targets", 7, CPU),
    ]
    laid.time = iter([0.0, 0.0, 0.0])
    bench.score(job("popularity"))
    assert [asked[1] for asked in laid.laid] == [("title",), 7, (), 7]


def test_a_task_without_lists_makes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    laid = Laid(monkeypatch, lists=False)
    assert Bench(laid.test, CPU).score(job("gru")).lists is None


def test_a_refit_that_diverges_is_named_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    laid = Laid(monkeypatch)
    message = r"^gru, seed 9: the refit diverged: the training loss is nan in epoch 2$"
    with pytest.raises(WorkFailed, match=message):
        Bench(laid.test, CPU).score(job("gru", 9, "bad"))


def test_every_job_is_done_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    laid = Laid(monkeypatch)
    ended: list[RefitEnded] = []
    jobs = [job("gru", 1), job("gru", 2)]
    found = score_all(jobs, laid.test, workers=1, on_end=ended.append)
    assert [scored.outcomes for scored in found] == [("outcomes of", 1), ("outcomes of", 2)]
    assert [(each.job, each.done, each.total) for each in ended] == [
        (jobs[0], 1, 2),
        (jobs[1], 2, 2),
    ]
    assert ended[-1].seconds_left == 0.0
    laid.time = iter([0.0] * 3)
    assert score_all(jobs[:1], laid.test, workers=1)[0].job == jobs[0]


def test_a_test_is_asked_by_the_task_of_its_experiment() -> None:
    experiment = experiment_of(task="purchase", metric={"name": "log_loss"})
    asked = refits.Test(SimpleNamespace(), experiment)  # type: ignore[arg-type]
    assert asked.task is TASKS["purchase"]
    assert (asked.best_possible, asked.categories, asked.groups) == (None, None, {})
