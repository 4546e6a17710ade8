"""All arms on the targets that the refitted one was asked."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds import experiment_of

from recsweep.stages.backtest.fits import Answered
from recsweep.stages.backtest.judge import Scores, means, over_steps, scores_of, verdicts


def experiment(key: str, *, lower_is_better: bool) -> Any:
    return SimpleNamespace(metric=SimpleNamespace(key=key, lower_is_better=lower_is_better))


NDCG = experiment("ndcg@10", lower_is_better=False)
LOG_LOSS = experiment("log_loss", lower_is_better=True)


def answered(user: list[int], time: list[int], *values: list[float]) -> Answered:
    return Answered(np.array(user, np.int32), np.array(time), np.array(values))


REFIT = answered([0, 0, 1], [5, 5, 7], [0.1, 0.2, 0.3], [0.4, 0.5, 0.6])


def test_a_target_is_found_by_its_learner_its_time_and_its_place_among_those_of_the_moment() -> (
    None
):
    never = answered([1, 0, 0], [7, 5, 5], [0.7, 0.8, 0.9], [0.0, 0.25, 0.75])
    found = scores_of({"refit": REFIT, "never": never}, NDCG)
    assert found is not None
    assert found.values["never"].tolist() == [[0.8, 0.9, 0.7], [0.25, 0.75, 0.0]]
    assert found.values["refit"].tolist() == REFIT.values.tolist()
    assert (found.unknown, found.left_out) == (0, 0)


@pytest.mark.parametrize(
    ("user", "time"), [([0, 0, 2], [5, 5, 7]), ([0, 0, 1], [5, 5, 8]), ([0, 0], [5, 5])]
)
def test_a_target_that_an_arm_was_not_asked_counts_as_the_worst(
    user: list[int], time: list[int]
) -> None:
    never = answered(user, time, [0.9] * len(user), [0.8] * len(user))
    found = scores_of({"refit": REFIT, "never": never}, NDCG)
    assert found is not None
    assert found.values["never"].tolist() == [[0.9, 0.9, 0.0], [0.8, 0.8, 0.0]]
    assert found.values["refit"].tolist() == REFIT.values.tolist()
    assert (found.unknown, found.left_out) == (1, 0)


def test_an_arm_without_an_answer_is_the_worst_everywhere() -> None:
    found = scores_of({"refit": REFIT, "never": None}, NDCG)
    assert found is not None
    assert found.values["never"].tolist() == [[0.0] * 3] * 2
    assert (found.unknown, found.left_out) == (3, 0)


def test_of_a_metric_without_a_worst_value_such_a_target_is_left_out_for_every_arm() -> None:
    never = answered([0, 1], [5, 7], [0.7, 0.8], [0.9, 1.0])
    found = scores_of({"refit": REFIT, "never": never}, LOG_LOSS)
    assert found is not None
    assert found.user.tolist() == [0, 1]
    assert found.values["refit"].tolist() == [[0.1, 0.3], [0.4, 0.6]]
    assert found.values["never"].tolist() == [[0.7, 0.8], [0.9, 1.0]]
    assert (found.unknown, found.left_out) == (0, 1)
    assert scores_of({"refit": REFIT, "never": None}, LOG_LOSS) is None


def test_steps_are_put_one_after_the_other() -> None:
    first = Scores(np.array([0, 1], np.int32), {"refit": np.array([[1.0, 2.0]])}, left_out=2)
    second = Scores(np.array([1], np.int32), {"refit": np.array([[3.0]])}, left_out=3)
    whole = over_steps([first, second])
    assert whole.user.tolist() == [0, 1, 1]
    assert whole.values["refit"].tolist() == [[1.0, 2.0, 3.0]]
    assert whole.left_out == 5


def of_learners(learners: int, never: float) -> Scores:
    """Two seeds; every learner has two targets."""
    refit = np.linspace(0.1, 0.9, 4 * learners).reshape(2, -1)
    user = np.arange(learners, dtype=np.int32).repeat(2)
    return Scores(user, {"never": refit + never, "refit": refit})


@pytest.mark.parametrize(("learners", "never", "pairs"), [(2, 0.1, 1), (1, 0.1, 0), (2, 0.0, 0)])
def test_two_learners_and_two_arms_that_differ_are_compared(
    learners: int, never: float, pairs: int
) -> None:
    found = verdicts(of_learners(learners, never), experiment_of())
    assert isinstance(found, tuple)
    assert [(pair.a, pair.b) for pair in found] == [("refit", "never")] * pairs


def test_an_arm_is_told_by_its_mean_over_seeds_and_learners() -> None:
    found = means(of_learners(3, 0.25), experiment_of())
    assert found == {"never": pytest.approx(0.75), "refit": pytest.approx(0.5)}
