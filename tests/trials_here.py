"""Trials in this process, one after the other: those of a sweep, and those that a plan measures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ray import cloudpickle

from recsweep.config.schema import Resources
from recsweep.search.plan import _measure_all
from recsweep.search.policy import Policy
from recsweep.search.worker import Shared, Worker


def run_trials_here(patch: pytest.MonkeyPatch) -> None:
    """Have no process begin: Ray takes five seconds and more, and so does each that imports torch.

    Ray's own worker does the work.
    """
    here = SimpleNamespace(get_node_id=lambda: "here", gcs_address="")
    patch.setattr("ray.get_runtime_context", lambda: here)
    patch.setattr("ray.get_gpu_ids", list)
    patch.setattr("recsweep.search.run.cluster", _one_worker)
    patch.setattr("recsweep.search.run._tune", _run)
    patch.setattr("recsweep.search.plan._measure", _measure)


@contextmanager
def _one_worker(resources: Resources) -> Iterator[int]:
    yield 1


def _run(shared: Shared, policy: Policy, workers: int, folder: Path) -> None:
    """What the policy asks for; what trials share is pickled, as if it travelled."""
    shared = cloudpickle.loads(cloudpickle.dumps(shared))
    worker: Worker | None = None
    while not policy.finished():
        proposal, goes_on = policy.next(), True
        assert proposal is not None  # nothing else runs that it could wait for
        if worker is None:
            worker = Worker.__new__(Worker)
            worker.setup({"proposal": proposal}, shared)
        else:
            worker.reset_config({"proposal": proposal})
        while goes_on:
            result = worker.step()
            if "failure" in result:
                policy.failed(proposal, result["failure"])
                break
            if found := dict(result["measured"]):
                goes_on = policy.measured(proposal, found)
            if goes_on and "report" in result:
                goes_on = policy.reported(proposal, result["report"], result["best"])


def _measure(experiment: Any, spaces: Any, folds: Any, limit: float, make_trial: Any) -> list[Any]:
    found: list[Any] = []
    pipe: Any = SimpleNamespace(send=found.append)
    _measure_all(pipe, experiment, spaces, folds, make_trial)
    return found
