import math

import pytest
from purchases import purchase_experiment

from recsweep.tasks.purchase.settings import QUESTION, Purchase


def test_without_a_word_a_look_that_is_bought_within_a_week_is_a_purchase() -> None:
    assert Purchase().model_dump() == {"exposures": ("browse",), "window_days": 7, "price": None}


def test_a_metrics_bounds_are_the_least_and_the_most_that_it_can_be() -> None:
    unit, above, free = (0, 1), (0, math.inf), (-math.inf, math.inf)
    assert {name: kind.within for name, kind in QUESTION.metrics.items()} == {
        "log_loss": above, "roc_auc": unit, "pr_auc": unit, "brier": unit, "ece": unit,
        "precision": unit, "f1": unit, "lift": above, "expected_revenue": free, "revenue": free,
    }  # fmt: skip
    better = {name for name, kind in QUESTION.metrics.items() if kind.lower_is_better}
    assert better == {"log_loss", "brier", "ece"}
    decide = {name for name, kind in QUESTION.metrics.items() if kind.decides}
    assert decide == {"log_loss", "brier"}
    beside = {name for name, kind in QUESTION.metrics.items() if kind.beside}
    assert beside == {"log_loss", "roc_auc", "pr_auc", "brier", "ece"}  # no threshold, no price


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ({"folds": {"min_user_events": 9}}, "folds.min_user_events is for task: next_item"),
        ({"targets": {"seen": "keep"}}, "targets is for task: next_item"),
        ({"features": ["event.gap"]}, "task purchase always uses event.gap"),
        ({"features": ["event.type"]}, "task purchase always uses event.type"),
    ],
)
def test_what_is_for_the_other_task_is_refused(keys: dict[str, object], refused: str) -> None:
    with pytest.raises(ValueError, match=refused):
        purchase_experiment(**keys)
