"""Greedy selection, on answers that are made up."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recsweep.config.schema import Metric
from recsweep.data.types import Float64, Targets
from recsweep.evaluation.metrics import user_means
from recsweep.models.cases import labels_of
from recsweep.stages.fuse.greedy import FoldVotes, greedy_selection
from recsweep.tasks.registry import TASKS
from recsweep.testing.worlds import world

TASK, METRIC = TASKS["purchase"], Metric(name="log_loss")


def targets() -> Targets:
    return world("purchase", {}).validation


class Given:
    """Takes the answers as they come."""

    def outcomes(self, model: Any) -> NDArray[Any]:
        found: NDArray[Any] = model.probability(None)
        return found


def made_up(seed: int, candidates: int) -> list[NDArray[Any]]:
    """Probabilities, each right about other examples."""
    random, bought = np.random.default_rng(seed), labels_of(targets()).bought
    draws = (random.beta(2 + bought, 3 - bought) for _ in range(candidates))
    return sorted((np.clip(draw, 0.05, 0.95) for draw in draws), key=value_of)


def value_of(probability: NDArray[Any]) -> float:
    values = TASK.target_values(probability, targets(), METRIC)["log_loss"]
    return float(TASK.per_learner(values, targets().sequence).mean())


def chosen_naively(votes: list[NDArray[Any]], steps: int) -> tuple[int, ...]:
    """Every mean anew, from the list of who was chosen."""
    members, found = [0], []
    while True:
        found.append((value_of(np.mean([votes[n] for n in members], axis=0)), list(members)))
        if len(members) == steps:
            break
        options = [np.mean([votes[m] for m in (*members, n)], axis=0) for n in range(len(votes))]
        members.append(min(range(len(votes)), key=lambda n: value_of(options[n])))
    _, best = min(found, key=lambda entry: (round(entry[0], 12), len(entry[1])))
    return tuple(best.count(n) for n in range(len(votes)))


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_those_of_a_search_that_keeps_no_totals(seed: int) -> None:
    votes = made_up(seed, 5)
    fold = FoldVotes(targets(), Given(), np.asarray, [[each] for each in votes])
    found = greedy_selection([fold], TASK, METRIC, steps=8)
    assert found.weights == chosen_naively(votes, 8)
    assert found.value == pytest.approx(value_of(np.average(votes, axis=0, weights=found.weights)))
    assert found.value <= value_of(votes[0])
    alone = greedy_selection([fold], TASK, METRIC, steps=1)
    assert alone.weights == (1, 0, 0, 0, 0)
    assert alone.value == pytest.approx(value_of(votes[0]))


def test_where_nothing_helps_the_best_stays_alone() -> None:
    truth = np.where(labels_of(targets()).bought, 0.99, 0.01)
    fold = FoldVotes(targets(), Given(), np.asarray, [[truth], [1 - truth], [truth]])
    assert greedy_selection([fold], TASK, METRIC, steps=5).weights == (1, 0, 0)


SCORE: Any = SimpleNamespace(key="closeness", goodness=float)


def fold_of(truth: list[float], sequence: list[int], *votes: list[float]) -> FoldVotes:
    """Its targets have a true answer each, and a scorer that asks for all of them at once."""
    targets: Any = SimpleNamespace(truth=np.array(truth), sequence=np.array(sequence, np.int32))
    return FoldVotes(targets, Given(), np.asarray, [[np.array(each)] for each in votes])


def closeness(outcomes: Float64, targets: Any, metric: Any) -> dict[str, Float64]:
    return {"closeness": 1 - np.abs(outcomes - targets.truth), "other": outcomes}


TOGETHER: Any = SimpleNamespace(target_values=closeness, per_learner=user_means)


def test_of_twenty_that_may_be_chosen_one_in_twenty_weighs_so_much() -> None:
    """A share of 1 in 21 can't be had, and 1 in 20 comes closest."""
    fold = fold_of([1 / 21], [0], [0.0], [1.0])
    found = greedy_selection([fold], TOGETHER, SCORE)
    assert found.weights == (19, 1)
    assert found.value == pytest.approx(1 - (1 / 20 - 1 / 21))


def test_of_equals_the_first_candidate_and_the_smallest_ensemble_are_taken() -> None:
    fold = fold_of([0.5], [0], [1.0], [0.0], [0.0])
    assert greedy_selection([fold], TOGETHER, SCORE, steps=6).weights == (1, 1, 0)


def test_folds_count_alike_and_a_fold_is_a_mean_over_its_learners() -> None:
    # Learners 3 and 7 of the first fold were sampled with two targets and one.
    one = fold_of([1.0, 1.0, 0.0], [3, 3, 7], [1.0, 1.0, 1.0], [0.0, 0.5, 0.0])
    two = fold_of([1.0], [2], [0.5], [1.0])
    # Alone: (1/2 + 1/2) / 2; with the other: learners 5/8 and 1/2, and 3/4.
    alone = greedy_selection([one, two], TOGETHER, SCORE, steps=1)
    assert (alone.weights, alone.value) == ((1, 0), 0.5)
    both = greedy_selection([one, two], TOGETHER, SCORE, steps=2)
    assert (both.weights, both.value) == ((1, 1), ((0.625 + 0.5) / 2 + 0.75) / 2)


def test_where_less_is_better_the_least_is_chosen() -> None:
    fold = fold_of([0.0], [0], [0.5], [0.0], [1.0])
    less: Any = SimpleNamespace(key="other", goodness=lambda value: -value)
    found = greedy_selection([fold], TOGETHER, less, steps=3)
    assert found.weights == (1, 2, 0)
    assert found.value == pytest.approx(1 / 6)


def test_a_metric_of_all_targets_together_is_asked_of_them() -> None:
    fold = fold_of([0.0, 1.0], [0, 0], [0.5, 0.5], [0.0, 1.0])
    task: Any = SimpleNamespace(
        target_values=closeness,
        summarise=lambda outcomes, targets, metric: ({"spread": np.ptp(outcomes)}, None),
    )
    metric: Any = SimpleNamespace(key="spread", goodness=float)
    found = greedy_selection([fold], task, metric, steps=2)
    assert (found.weights, found.value) == ((1, 1), 0.5)


def test_every_array_that_a_scorer_asks_for_is_averaged() -> None:
    class Twice:
        def outcomes(self, model: Any) -> NDArray[Any]:
            return np.concatenate([model.score(None), model.score(None)])

    targets: Any = SimpleNamespace(truth=np.array([0.5, 0.25]), sequence=np.array([0, 1]))
    votes = [[np.array([1.0]), np.array([0.5])], [np.array([0.0]), np.array([0.0])]]
    fold = FoldVotes(targets, Twice(), np.asarray, votes)
    found = greedy_selection([fold], TOGETHER, SCORE, steps=2)
    assert (found.weights, found.value) == ((1, 1), 1.0)
