"""Fits on what was known before a step, asked of that step and later ones."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from worlds import experiment_of

from recsweep.errors import BadInput, WorkFailed
from recsweep.stages.backtest import fits as module
from recsweep.stages.backtest.fits import Fit, Ground, fit_all
from recsweep.training.trial import Diverged

CPU = torch.device("cpu")
WINDOWS = ((0, 10), (10, 20), (20, 30), (30, 40))


class Made:
    """Folds and models that are made up; what is asked for is noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, empty: Sequence[int] = ()) -> None:
        self.folds: list[tuple[Any, ...]] = []
        self.trained: list[tuple[Any, ...]] = []
        self.empty, self.diverges = empty, -1
        experiment = experiment_of(resources={"workers": 1, "precision": "bf16"})
        data: Any = SimpleNamespace(development="events")
        self.ground = Ground(data, experiment, "markov", WINDOWS, (5, 6))
        self.task = SimpleNamespace(scorer=self.scorer, target_values=self.target_values)
        self.clock = iter([1.0, 4.0] * 9)
        monkeypatch.setattr(module, "make_fold", self.make_fold)
        monkeypatch.setattr(module, "refit", self.refit)
        monkeypatch.setattr(module, "TASKS", {"next_item": self.task})
        monkeypatch.setattr("time.perf_counter", lambda: next(self.clock))

    def make_fold(self, name: str, events: Any, window: Any, *rest: Any) -> Any:
        assert (events, rest[:2]) == ("events", (self.ground.dataset, self.ground.experiment))
        self.folds.append((name, window, rest[2]))
        step = WINDOWS.index(window)
        if step in self.empty:
            raise BadInput(f"nothing in {name}")
        histories = SimpleNamespace(user=np.array([7, 8, 9], np.int32) + step)
        targets = SimpleNamespace(
            step=step, histories=histories, sequence=np.array([0, 2, 2]), time=np.arange(3) + step
        )
        return SimpleNamespace(training=f"before {step}", validation=targets, n_items=4)

    def scorer(self, targets: Any, n_items: int, device: Any) -> Any:
        assert (n_items, device) == (4, CPU)
        return SimpleNamespace(outcomes=lambda seed: np.array([seed, targets.step, n_items]))

    def target_values(self, outcomes: Any, targets: Any, metric: Any) -> Any:
        return {metric.key: outcomes + 0.5, "recall@5": outcomes}

    def refit(self, kind: str, config: Any, training: Any, **rest: Any) -> int:
        if rest["seed"] == self.diverges:
            raise Diverged("the training loss is nan in epoch 1")
        assert rest.pop("task") is self.task
        self.trained.append((kind, config, training, rest))
        seed: int = rest["seed"]
        return seed

    def fit(self, step: int, *asked: int) -> Any:
        return module._begin(self.ground, CPU)(Fit(step, {"memory": 3}, 2, asked))


def test_one_model_a_seed_is_trained_and_asked_of_every_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Made(monkeypatch)
    found = made.fit(1, 1, 3)
    # Both are asked with what was known when step 2 began.
    assert made.folds == [("step 2", (10, 20), 10), ("step 4", (30, 40), 10)]
    rest = {"epochs": 2, "device": CPU, "precision": "bf16"}
    assert made.trained == [
        ("markov", {"memory": 3}, "before 1", {**rest, "seed": seed}) for seed in (5, 6)
    ]
    assert list(found.answers) == [1, 3]
    for step, answered in found.answers.items():
        assert answered.user.tolist() == [7 + step, 9 + step, 9 + step]
        assert answered.time.tolist() == [step, step + 1, step + 2]
        assert_array_equal(answered.values, [[seed + 0.5, step + 0.5, 4.5] for seed in (5, 6)])
    assert (found.reason, found.seconds) == (None, 1.5)


def test_a_step_without_targets_is_left_out_and_the_first_reason_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Made(monkeypatch, empty=[0, 2])
    found = made.fit(0, 0, 1, 2, 3)
    assert list(found.answers) == [1, 3]
    assert found.reason == "nothing in step 1"
    assert [training for _, _, training, _ in made.trained] == ["before 1"] * 2
    nothing = made.fit(0, 0, 2)
    assert (nothing.answers, nothing.seconds) == ({}, 0.0)


def test_a_refit_that_diverges_is_named_by_its_step_and_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Made(monkeypatch)
    made.diverges = 6
    with pytest.raises(WorkFailed, match=r"^step 3, seed 6: the refit diverged: the training loss"):
        made.fit(2, 2)


def test_a_fit_takes_longer_by_its_epochs_and_by_what_it_is_asked() -> None:
    assert Fit(0, {}, 4, (0, 1, 2)).work == 7.0


def test_every_fit_is_made_and_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    made, told = Made(monkeypatch), list[tuple[Any, ...]]()
    asked = [Fit(0, {}, 1, (0, 1)), Fit(1, {}, 9, (1,))]
    found = fit_all(asked, made.ground, lambda *ended: told.append(ended[:3]))
    assert [each.fit for each in found] == asked
    assert told == [(asked[1], 1, 2), (asked[0], 2, 2)]  # what takes longest goes first


def test_as_many_processes_work_as_the_machine_holds_for_so_many_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, counted = Made(monkeypatch), list[int]()

    def worker_count(resources: Any, fits: int) -> int:
        counted.append(fits)
        return 1

    monkeypatch.setattr(module, "worker_count", worker_count)
    fit_all([Fit(0, {}, 1, (0,)), Fit(1, {}, 9, (1,))], made.ground, lambda *told: None)
    assert counted == [2]
