import math

from recsweep.tasks.uplift.settings import QUESTION


def test_no_metric_is_the_mean_of_what_targets_score_and_each_may_be_below_zero() -> None:
    kinds = QUESTION.metrics.values()
    assert not any(kind.additive for kind in kinds)
    assert not any(kind.lower_is_better for kind in kinds)
    assert {kind.within for kind in kinds} == {(-math.inf, math.inf)}
    assert QUESTION.treatment
