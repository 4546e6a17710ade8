import numpy as np
from worlds import dataset_of, events_of, experiment_of, training_of

from recsweep.config.schema import Metric
from recsweep.tasks.folds import make_fold
from recsweep.tasks.next_item.task import TASK as NEXT_ITEM

ROWS = [(0, 0, 1), (0, 1, 2), (1, 0, 1), (1, 1, 3), (0, 0, 11), (0, 1, 12), (0, 0, 13), (1, 0, 14)]


def test_the_mean_is_over_a_learners_targets_first_and_then_over_learners() -> None:
    events = events_of(ROWS)
    experiment = experiment_of(targets={"seen": "keep"})
    fold = make_fold("fold0", events, (10, 20), dataset_of(events), experiment)
    assert fold.validation.sequence.tolist() == [0, 0, 0, 1]
    miss = np.iinfo(np.int32).max
    ranks = np.array([1, 1, 1, miss], np.int32)
    metrics, learners = NEXT_ITEM.summarise(ranks, fold.validation, Metric(name="recall", k=10))
    assert metrics["recall@10"] == 0.5  # not 0.75
    assert learners.tolist() == [1.0, 0.0]
    assert set(metrics) == {f"{m}@{k}" for m in ("recall", "ndcg", "mrr") for k in (5, 10, 20)}


def test_an_epoch_has_a_step_a_batch_of_windows_and_without_batches_none() -> None:
    training = training_of([[0, 1, 2, 3, 0, 1], [2, 3], [1, 0]], 4)
    assert NEXT_ITEM.steps({"window": 3, "batch_size": 2}, training) == 2  # four windows
    assert NEXT_ITEM.steps({"window": 3, "batch_size": 3}, training) == 2
    assert NEXT_ITEM.steps({"window": 9, "batch_size": 9}, training) == 1
    assert NEXT_ITEM.steps({"batch_size": 2}, training) is None
    assert NEXT_ITEM.steps({"window": 3}, training) is None
