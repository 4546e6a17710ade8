import math

import pytest
from worlds import experiment_of

from recsweep.tasks.text.settings import QUESTION


def test_a_metrics_bounds_are_the_least_and_the_most_that_it_can_be() -> None:
    share = dict.fromkeys(("accuracy", "macro_f1", "roc_auc", "ece"), (0, 1))
    found = {name: kind.within for name, kind in QUESTION.metrics.items()}
    assert found == {"log_loss": (0, math.inf), **share}
    better = {name for name, kind in QUESTION.metrics.items() if kind.lower_is_better}
    assert better == {"log_loss", "ece"}
    decide = {name for name, kind in QUESTION.metrics.items() if kind.decides}
    assert decide == {"log_loss", "accuracy"}


FOLDS = {"rule": "stratified", "test": 0.2}


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ({}, None),
        ({"text": {"language": "zh"}}, None),
        ({"folds": {**FOLDS, "min_user_events": 9}}, "folds.min_user_events is for logs of events"),
        ({"folds": {**FOLDS, "min_item_events": 9}}, "folds.min_item_events is for logs of events"),
        ({"targets": {"seen": "keep"}}, "targets is for task: next_item"),
        (
            {"metric": {"name": "log_loss", "calibration": "platt"}},
            "metric.calibration is for task: purchase",
        ),
        ({"text": {"size": 9}}, "of its keys, task text uses language alone"),
    ],
)
def test_what_is_for_other_tasks_is_refused(keys: dict[str, object], refused: str | None) -> None:
    table = {"path": "x", "text": "t", "label": {"column": "l"}}
    data = {"name": "said", "texts": [table]}
    changes = {"task": "text", "data": data, "folds": FOLDS, **keys}
    if refused is None:
        assert experiment_of(**changes).task == "text"
        return
    with pytest.raises(ValueError, match=refused):
        experiment_of(**changes)
