"""Greedy selection, on answers that are made up."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from recsweep.config.schema import Metric
from recsweep.data.types import Targets
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
