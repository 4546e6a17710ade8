import math

from recsweep.tasks.text.settings import QUESTION


def test_a_metrics_bounds_are_the_least_and_the_most_that_it_can_be() -> None:
    share = dict.fromkeys(("accuracy", "macro_f1", "roc_auc", "ece"), (0, 1))
    found = {name: kind.within for name, kind in QUESTION.metrics.items()}
    assert found == {"log_loss": (0, math.inf), **share}
    better = {name for name, kind in QUESTION.metrics.items() if kind.lower_is_better}
    assert better == {"log_loss", "ece"}
    decide = {name for name, kind in QUESTION.metrics.items() if kind.decides}
    assert decide == {"log_loss", "accuracy"}
