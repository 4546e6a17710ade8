from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from worlds import dataset_of, events_of, experiment_of

from recsweep.data.types import Targets
from recsweep.stages.confirm.pooled import pooled_tables
from recsweep.tasks.folds import make_fold

RUNS: Any = [SimpleNamespace(outcomes=np.array(o)) for o in ([1.0, 2.0, 6.0], [4.0, 4.0, 1.0])]


def asked_with(pooled: Any) -> Any:
    """Three learners with a target each, and how all of them together are scored."""
    events = events_of([(user, time, time) for user in range(3) for time in (1, 2, 9)])
    rows = replace(events, item=np.where(events.time == 9, 1 + events.user % 2, events.item))
    rows = replace(rows, item=rows.item.astype(np.int32))
    experiment = experiment_of(targets={"seen": "keep"})
    fold = make_fold("sealed test", rows, (9, 10), dataset_of(rows), experiment)
    return SimpleNamespace(task=SimpleNamespace(pooled=pooled), experiment=experiment, fold=fold)


def test_a_metric_of_all_targets_is_told_by_what_each_group_of_learners_adds() -> None:
    def largest(outcomes: Any, targets: Targets, metric: Any) -> dict[str, float]:
        assert len(outcomes) == len(targets)
        assert metric.key == "ndcg@10"
        return {"most": float(outcomes.max()), "n": float(len(targets))}

    found = pooled_tables(RUNS, asked_with(largest))
    # Three learners are three groups. Without the one who has the most, the next is it; a group
    # counts with the whole and twice what the mean without a group is more than that without it.
    of_groups = np.array(
        [6 + 2 * (14 / 3 - np.array([6.0, 6.0, 2.0])), 4 + 2 * (4.0 - np.array([4.0, 4.0, 4.0]))]
    )
    assert_allclose(np.sort(found["most"]), np.sort(of_groups))
    assert_allclose(found["n"], 3)
    assert found["n"].shape == (2, 3)


def test_a_task_without_such_metrics_has_no_table() -> None:
    assert pooled_tables(RUNS, asked_with(lambda *asked: {})) == {}


def test_one_run_alone_has_a_table_too() -> None:
    found = pooled_tables(RUNS[:1], asked_with(lambda o, t, m: {"n": float(len(t))}))
    assert_allclose(found["n"], [[3.0] * 3])
