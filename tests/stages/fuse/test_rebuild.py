"""Which trials an ensemble may be made of, and what comes of training them again."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from worlds import experiment_of

from recsweep.errors import WorkFailed
from recsweep.stages.fuse import rebuild as module
from recsweep.stages.fuse.rebuild import Candidate, Rebuilt, candidates_of, rebuilder
from recsweep.training.trial import Diverged


def trial(id_: str, value: float | None, state: str = "complete") -> SimpleNamespace:
    best = value and SimpleNamespace(epoch=2, value=value, metrics={})
    return SimpleNamespace(
        id=id_, best=best, state=state, config={}, seed=1, epochs=[None] * 4, fit_seconds=8.0,
        evaluate_seconds=4.0,
    )  # fmt: skip


def test_the_best_complete_trials_of_each_family_are_asked_with_the_seconds_they_may_take() -> None:
    trials = {
        "a": [trial("a0", 0.1), trial("a1", 0.3), trial("a2", 0.2), trial("a3", 0.9, "stopped")],
        "b": [trial("b0", 0.25), trial("b1", None)],
    }
    study: Any = SimpleNamespace(
        experiment=SimpleNamespace(metric=SimpleNamespace(goodness=float)),
        spaces={name: SimpleNamespace(family=name) for name in trials},
        trials_of=trials.__getitem__,
    )
    found = candidates_of(study, ["a", "b"], 2)
    assert [each.trial for each in found] == ["a1", "b0", "a2"]
    # Two of four epochs are fitted again, and an evaluation counts three times.
    assert {round(each.work, 2) for each in found} == {8 / 2 + 3 * 4 / 4}


def test_a_candidate_is_its_trial_up_to_the_best_epoch_and_less_may_be_better() -> None:
    rows = [trial("a0", 0.5), trial("a1", 0.3), trial("a2", 0.5)]
    rows[1].seed, rows[1].config, rows[1].best.metrics = 7, {"x": 2}, {"log_loss": (0.3,)}
    study: Any = SimpleNamespace(
        experiment=SimpleNamespace(metric=SimpleNamespace(goodness=lambda value: -value)),
        spaces={"mine": SimpleNamespace(family="gru")},
        trials_of=lambda family: rows,
    )
    best, second = candidates_of(study, ["mine"], 2)
    assert best == Candidate(
        family="mine", kind="gru", trial="a1", config={"x": 2}, seed=7, epochs=2, value=0.3,
        metrics={"log_loss": (0.3,)}, work=8 / 2 + 3 * 4 / 4 + 1e-3,
    )  # fmt: skip
    assert second.trial == "a0"  # of equals the earlier trial
    assert len(candidates_of(study, ["mine"], 1)) == 1
    assert candidates_of(study, [], 2) == []


CPU = torch.device("cpu")
CANDIDATE = Candidate("mine", "gru", "a1", {"x": 2}, 7, 4, 0.3, {"m": (5.0, 6.0)}, 1.0)


class Model:
    """It was trained on a fold."""

    def __init__(self, fold: int) -> None:
        self.fold = fold

    def state(self) -> dict[str, torch.Tensor]:
        return {"w": torch.zeros(2 + self.fold), "b": torch.zeros(1, dtype=torch.float64)}


class Made:
    """Two folds, and a sample of each one's targets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trained: list[Any] = []
        self.experiment = experiment_of(resources={"precision": "bf16"})
        self.folds: Any = [
            SimpleNamespace(training=f"before {n}", validation=("all", n), n_items=3 + n)
            for n in range(2)
        ]
        self.task = SimpleNamespace(scorer=self.scorer, summarise=self.summarise)
        self.clock = iter([1.0, 3.0, 3.5, 10.0, 14.0, 15.0])
        monkeypatch.setattr(module, "TASKS", {"next_item": self.task})
        vote = SimpleNamespace(
            of=lambda model, asked: np.array([model.fold, asked]), kept=lambda answer: answer
        )
        monkeypatch.setattr(module, "VOTES", {"next_item": vote})
        monkeypatch.setattr(module, "refit", self.refit)
        monkeypatch.setattr("time.perf_counter", lambda: next(self.clock))

    def scorer(self, targets: Any, n_items: int, device: Any) -> Any:
        what, n = targets
        assert (n_items, device) == (3 + n, CPU)
        if what == "all":
            return SimpleNamespace(outcomes=lambda model: ("said by", model.fold))
        return SimpleNamespace(outcomes=lambda model: [model.score(8), model.score(9)])

    def summarise(self, outcomes: Any, targets: Any, metric: Any) -> Any:
        assert (outcomes, metric.key) == (("said by", targets[1]), "ndcg@10")
        return {"m": 5.0 + targets[1], "n": 0.5}, None

    def refit(self, kind: str, config: Any, training: Any, **rest: Any) -> Model:
        if kind == "bad":
            raise Diverged("the training loss is nan in epoch 1")
        assert rest.pop("task") is self.task
        self.trained.append((kind, config, training, rest))
        return Model(rest["fold"])

    def rebuild(self, candidate: Candidate) -> Rebuilt:
        samples: Any = [("some", 0), ("some", 1)]
        return rebuilder(self.folds, samples, self.experiment, CPU)(candidate)


def test_a_candidate_is_trained_as_its_trial_was_and_heard_on_the_sample(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Made(monkeypatch)
    found = made.rebuild(CANDIDATE)
    rest = {"epochs": 4, "seed": 7, "device": CPU, "precision": "bf16"}
    assert made.trained == [("gru", {"x": 2}, f"before {n}", {**rest, "fold": n}) for n in range(2)]
    assert found.candidate is CANDIDATE
    assert found.metrics == {"m": (5.0, 6.0), "n": (0.5, 0.5)}
    assert [[each.tolist() for each in fold] for fold in found.votes] == [
        [[0, 8], [0, 9]], [[1, 8], [1, 9]]
    ]  # fmt: skip
    assert (found.fit_seconds, found.score_seconds) == (2.0 + 4.0, 0.5 + 1.0)
    assert [len(state["w"]) for state in found.states] == [2, 3]
    assert found.model_bytes == 3 * 4 + 8  # of the last fold
    assert not found.as_recorded


def test_a_model_is_as_large_as_on_the_last_fold() -> None:
    states = tuple({"w": torch.zeros(n)} for n in (1, 2, 5))
    assert Rebuilt(CANDIDATE, {}, (), states, 1.0, 1.0).model_bytes == 20


def test_figures_are_the_records_where_all_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    candidate = replace(CANDIDATE, metrics={"m": (5.0, 6.0), "n": (0.5, 0.5)})
    assert made.rebuild(candidate).as_recorded


def test_a_candidate_that_diverges_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    bad = Candidate("mine", "bad", "a7", {}, 7, 4, 0.3, {}, 1.0)
    with pytest.raises(WorkFailed, match=r"^a7: training diverged: the training loss is nan"):
        made.rebuild(bad)
