from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from recsweep.data.types import Targets
from recsweep.models.registry import families
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import Scorer
from recsweep.testing.cases import CPU, Case, cases_of
from recsweep.training import footprint
from recsweep.training.footprint import events_in, largest, p99_ms, state_size


def floor(task: str) -> Case:
    served = (f for f in families().values() if task in f.tasks and f.role == "floor")
    return next(cases_of(next(served), task))


@pytest.mark.parametrize("name", TASKS)
def test_a_model_of_every_task_is_asked_one_learner_at_a_time(name: str) -> None:
    case, task, asked = floor(name), TASKS[name], list[int]()

    def scorer(targets: Targets, n_items: int, device: torch.device) -> Scorer[Any]:
        asked.append(len(targets))
        return task.scorer(targets, n_items, device)

    watched = replace(task, scorer=scorer)
    assert p99_ms(watched, case.model, case.fold, CPU, seconds=60) > 0
    assert asked == [1] * 110
    assert p99_ms(watched, case.model, case.fold, CPU, seconds=0) > 0
    assert len(asked) == 110 + 11  # so many there have to be


def test_the_largest_fold_has_the_most_to_learn_from_and_of_equals_it_is_the_first() -> None:
    folds = [events(n) for n in (3, 5, 4, 5)]
    assert largest(folds) is folds[1]


def test_without_histories_examples_are_counted() -> None:
    assert events_in(events(3)) == 3
    assert events_in(events(0, examples=7)) == 7
    assert events_in(events(0)) == 0


def events(count: int, examples: int | None = None) -> Any:
    """A fold as far as it is counted."""
    training = SimpleNamespace(
        sequences=SimpleNamespace(item=range(count)),
        examples=None if examples is None else range(examples),
    )
    return SimpleNamespace(training=training)


def test_a_models_size_is_of_all_that_its_answers_need() -> None:
    state = {
        "weights": torch.zeros(3, 4),
        "seen": torch.zeros(5, dtype=torch.int64),
        "on": torch.zeros(2, dtype=torch.bool),
    }
    assert state_size(SimpleNamespace(state=lambda: state)) == (12 + 5 + 2, 4 * 12 + 8 * 5 + 2)
    assert state_size(SimpleNamespace(state=dict)) == (0, 0)


class Answers:
    """A task whose answers take these seconds in turn, and the clock that they move."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
        self.now, self.asked, self._seconds = 0.0, list[int](), iter(seconds)
        monkeypatch.setattr(footprint, "time", SimpleNamespace(perf_counter=lambda: self.now))
        monkeypatch.setattr(footprint, "_alone", lambda targets, n: int(n))

    def scorer(self, targets: Any, n_items: int, device: torch.device) -> Any:
        self.asked.append(targets)
        self.now += 1000  # laying a history out is no part of an answer
        return self

    def outcomes(self, model: Any) -> None:
        self.now += next(self._seconds)

    def p99(self, learners: int, within: float = 1e9) -> float:
        fold: Any = SimpleNamespace(validation=range(learners), n_items=9)
        task: Any = self
        return p99_ms(task, None, fold, CPU, within)


def test_a_p99_is_of_a_hundred_answers_after_ten_that_warm_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = Answers(monkeypatch, [99.0] * 10 + [0.001 * n for n in range(1, 101)])
    assert answers.p99(learners=50) == pytest.approx(99.01)


def test_learners_are_asked_from_the_first_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(monkeypatch, [0.001] * 110)
    answers.p99(learners=219)
    assert answers.asked == [*range(0, 218, 2), 218]


def test_of_slow_answers_there_are_as_many_as_fit_and_at_least_one_that_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each takes a thousand seconds to lay out."""
    few = Answers(monkeypatch, [9.0] + [0.25] * 109)
    assert few.p99(learners=110, within=5000) == pytest.approx(250)
    assert len(few.asked) == 11
    more = Answers(monkeypatch, [0.0] * 110)
    more.p99(learners=110, within=20_000)
    assert len(more.asked) == 21  # twenty took no longer than they might


def test_who_is_asked_alone_brings_a_history_and_a_target() -> None:
    targets = floor("next_item").fold.validation
    for n in range(len(targets)):
        alone = footprint._alone(targets, n)
        assert alone.sequence.tolist() == [0]
        assert (alone.time.tolist(), alone.length.tolist()) == (
            [targets.time[n]],
            [targets.length[n]],
        )
        of = targets.sequence[n]
        start, end = targets.histories.offsets[of : of + 2]
        assert alone.histories.user.tolist() == [targets.histories.user[of]]
        assert alone.histories.item.tolist() == targets.histories.item[start:end].tolist()
