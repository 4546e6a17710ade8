import numpy as np

from recsweep.evaluation import metrics
from recsweep.tasks.next_item.settings import QUESTION


def test_a_metrics_bounds_are_its_values_at_the_last_rank_and_at_the_first() -> None:
    for name, kind in QUESTION.metrics.items():
        values = getattr(metrics, name)(np.array([11, 1]), 10)
        assert tuple(values) == kind.within
        assert kind.at_k
