import math

import pytest
from treatments import uplift_experiment

from recsweep.tasks.uplift.settings import QUESTION, Uplift


def test_no_metric_is_the_mean_of_what_targets_score_and_each_may_be_below_zero() -> None:
    kinds = QUESTION.metrics.values()
    assert not any(kind.additive for kind in kinds)
    assert not any(kind.lower_is_better for kind in kinds)
    assert {kind.within for kind in kinds} == {(-math.inf, math.inf)}
    assert QUESTION.treatment
    aside = {name for name, kind in QUESTION.metrics.items() if not kind.beside}
    assert aside == {"policy_value_ips"}  # the doubly robust value stands in tables for both


def test_without_a_word_three_in_ten_may_be_treated() -> None:
    looks = {"exposures": ("browse",), "window_days": 7}
    assert Uplift().model_dump() == {**looks, "budget": 0.3}


@pytest.mark.parametrize("budget", [0, -0.1, 1.01])
def test_a_budget_is_a_share_above_nothing_up_to_all(budget: float) -> None:
    assert Uplift(budget=1).budget == 1
    with pytest.raises(ValueError, match="budget"):
        Uplift(budget=budget)


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ({"metric": {"name": "qini", "calibration": "platt"}}, "is for task: purchase"),
        ({"folds": {"min_user_events": 9}}, "folds.min_user_events is for task: next_item"),
        ({"targets": {"seen": "keep"}}, "task: next_item; uplift has a key of its own"),
    ],
)
def test_what_is_for_another_task_is_refused(keys: dict[str, object], refused: str) -> None:
    assert uplift_experiment().task == "uplift"
    with pytest.raises(ValueError, match=refused):
        uplift_experiment(**keys)
