from dataclasses import replace
from typing import Any

import pytest
import torch

from recsweep.data.types import Targets
from recsweep.models.registry import families
from recsweep.tasks.registry import TASKS
from recsweep.tasks.task import Scorer
from recsweep.testing.cases import CPU, Case, cases_of
from recsweep.training.footprint import p99_ms


def floor(task: str) -> Case:
    served = (f for f in families().values() if task in f.tasks and f.role == "floor")
    return next(cases_of(next(served), task))


@pytest.mark.parametrize("name", TASKS)
def test_a_model_of_every_task_is_asked_one_learner_at_a_time(name: str) -> None:
    case, task, asked = floor(name), TASKS[name], list[int]()

    def scorer(targets: Targets, n_items: int, device: torch.device) -> Scorer[Any]:
        asked.append(len(targets))
        return task.scorer(targets, n_items, device)

    watched = replace(task, scorer=scorer)
    assert p99_ms(watched, case.model, case.fold, CPU, seconds=60) > 0
    assert asked == [1] * 110
    assert p99_ms(watched, case.model, case.fold, CPU, seconds=0) > 0
    assert len(asked) == 110 + 11  # so many there have to be
