"""A worker without Ray around it."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from sweeps import folds_of, make_trials, study_of

from recsweep.search.ledger import Proposal
from recsweep.search.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker.__new__(Worker)
    first = {"proposal": Proposal("a-0000", "a", 0, {"x": 0.5}, 0)}
    worker.setup(first, study_of("a"), {"a": "made_up"}, folds_of(), make_trials())
    yield worker
    gc.unfreeze()


def test_what_libraries_hold_is_not_walked_through_between_trials(worker: Worker) -> None:
    assert gc.get_freeze_count() > 10_000
    assert len(gc.get_objects()) < gc.get_freeze_count()


def test_a_trials_memory_goes_before_the_next_ones_comes(worker: Worker) -> None:
    class Model:
        def __init__(self) -> None:
            self.itself = self  # as modules and optimisers refer to each other

    worker.step()
    trial: Any = worker._trial
    trial.model = Model()
    gone = weakref.ref(trial.model)
    del trial
    worker.reset_config({"proposal": Proposal("a-0001", "a", 1, {"x": 0.5}, 1)})
    assert gone() is None
