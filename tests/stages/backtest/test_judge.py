"""All arms on the targets that the refitted one was asked."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from worlds import experiment_of

from recsweep.evaluation.comparison import compare
from recsweep.stages.backtest.fits import Answered
from recsweep.stages.backtest.judge import Scores, means, over_steps, scores_of, verdicts


def experiment(key: str, *, lower_is_better: bool) -> Any:
    return SimpleNamespace(metric=SimpleNamespace(key=key, lower_is_better=lower_is_better))


NDCG = experiment("ndcg@10", lower_is_better=False)
LOG_LOSS = experiment("log_loss", lower_is_better=True)
BRIER = experiment("brier", lower_is_better=True)


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


def test_the_worst_of_a_bounded_metric_of_which_less_is_better_is_the_most() -> None:
    never = answered([0], [5], [0.7], [0.9])
    found = scores_of({"refit": REFIT, "never": never}, BRIER)
    assert found is not None
    assert found.values["never"].tolist() == [[0.7, 1.0, 1.0], [0.9, 1.0, 1.0]]
    assert (found.unknown, found.left_out) == (2, 0)


def test_a_target_that_any_arm_lacks_is_counted_once() -> None:
    arms = {
        "refit": REFIT,
        "never": answered([0, 0], [5, 5], [0.7, 0.8], [0.9, 1.0]),
        "search": answered([0, 1], [5, 7], [0.2, 0.3], [0.4, 0.5]),
    }
    found = scores_of(arms, NDCG)  # type: ignore[arg-type]
    assert found is not None
    assert found.values["search"].tolist() == [[0.2, 0.0, 0.3], [0.4, 0.0, 0.5]]
    assert (found.unknown, found.left_out) == (2, 0)
    fewer = scores_of(arms, LOG_LOSS)  # type: ignore[arg-type]
    assert fewer is not None
    assert fewer.values["search"].tolist() == [[0.2], [0.4]]
    assert (fewer.unknown, fewer.left_out) == (0, 2)


def test_all_steps_together_say_nothing_of_what_single_arms_lacked() -> None:
    one = Scores(np.array([0], np.int32), {"refit": np.array([[1.0]])}, unknown=3)
    whole = over_steps([one, one])
    assert (whole.unknown, whole.left_out) == (0, 0)


THREE = np.random.default_rng(0).random((3, 2, 8))
USERS = np.array([4, 4, 1, 1, 9, 9, 9, 2], np.int32)


def walked(never: int = 0, refit: int = 1, search: int = 2) -> Scores:
    """Three arms' two seeds on the targets of four learners."""
    return Scores(USERS, {"never": THREE[never], "refit": THREE[refit], "search": THREE[search]})


def of_learners_by_hand(rows: Any) -> Any:
    """Learners 1, 2, 4 and 9."""
    parts = [rows[:, 2:4], rows[:, 7:], rows[:, :2], rows[:, 4:7]]
    return np.stack([part.mean(axis=1) for part in parts], axis=1)


def test_a_learners_targets_are_averaged_first() -> None:
    found = walked().of_learners(experiment_of())
    for n, arm in enumerate(("never", "refit", "search")):
        assert found[arm] == pytest.approx(of_learners_by_hand(THREE[n]))  # type: ignore[index]
    assert means(walked(), experiment_of())["search"] == pytest.approx(
        of_learners_by_hand(THREE[2]).mean()
    )


@pytest.mark.parametrize(
    ("among", "level", "resamples"), [(1, 0.95, 1000), (3, 1 - 0.05 / 3, 2400)]
)
def test_verdicts_are_adjusted_for_all_steps_with_draws_enough_for_it(
    among: int, level: float, resamples: int
) -> None:
    experiment = experiment_of(confirm={"resamples": 1000, "smallest_effect": 0.1}, seed=5)
    tables = {arm: of_learners_by_hand(THREE[n])
              for n, arm in enumerate(("never", "refit", "search"))}  # fmt: skip
    pairs = [("refit", "never"), ("search", "refit")]
    expected = compare(tables, 0.1, resamples, 5, level, contrasts=pairs, bound=1.0)
    found = verdicts(walked(), experiment, among)
    assert [(v.a, v.b, v.exploratory) for v in found] == [
        ("refit", "never", False), ("search", "refit", False), ("never", "search", True)
    ]  # fmt: skip
    for one, other in zip(found, expected, strict=True):
        assert (one.p, one.outcome) == (other.p, other.outcome)
        assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper))
        assert one.level == pytest.approx(other.level)
    if among == 1:
        assert verdicts(walked(), experiment) == found


def test_of_two_searched_arms_that_are_the_same_the_other_pair_is_declared() -> None:
    found = verdicts(walked(search=1), experiment_of())
    assert [(v.a, v.b) for v in found if not v.exploratory] == [("refit", "never")]


def test_where_less_is_better_the_verdict_says_so() -> None:
    unbounded = experiment_of(task="purchase", metric={"name": "log_loss"})
    assert all(v.lower_is_better for v in verdicts(walked(), unbounded))
