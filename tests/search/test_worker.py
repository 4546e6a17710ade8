"""A worker without Ray around it."""

import gc
import platform
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from sweeps import folds_of, make_trials, study_of

from recsweep.search.checkpoints import Checkpoints
from recsweep.search.proposal import Proposal
from recsweep.search.worker import Shared, Worker
from recsweep.training.process import memory_in_use

CPU = torch.device("cpu")
NEXT = {"proposal": Proposal("a-0001", "a", 1, {"x": 0.5}, 1, 4)}


def begin(
    folder: Path,
    seconds: float = 0.0,
    until: int = 4,
    uid: str = "1234",
    trials: Any = None,
    rehearse: Any = None,
    **changes: Any,
) -> Worker:
    worker = Worker.__new__(Worker)
    experiment = study_of("a", **{"resources": {"checkpoint_seconds": seconds}, **changes})
    trials = trials or make_trials()
    shared = Shared(
        experiment, {"a": "made_up"}, folds_of(), Checkpoints(folder), "home", uid, trials, rehearse
    )
    worker.setup({"proposal": Proposal("a-0000", "a", 0, {"x": 0.5}, 0, until)}, shared)
    return worker


@pytest.fixture(autouse=True)
def _no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for GPUs, it would start itself."""
    monkeypatch.setattr("ray.get_gpu_ids", list)
    here = SimpleNamespace(get_node_id=lambda: "home")
    monkeypatch.setattr("ray.get_runtime_context", lambda: here)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    yield begin(tmp_path)
    gc.unfreeze()


def values(worker: Worker, epochs: int) -> list[float]:
    return [worker.step()["report"].value for _ in range(epochs)]


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
    worker.reset_config(NEXT)
    assert gone() is None


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked for it")
def test_memory_that_a_trial_let_go_of_is_the_systems_again(worker: Worker) -> None:
    buffers = [b"x" * 100_000 for _ in range(2_000)]
    last = buffers.pop()  # the heap ends with it, so that it doesn't shrink by itself
    held = memory_in_use(CPU) or 0.0
    del buffers
    worker.reset_config(NEXT)
    assert held - (memory_in_use(CPU) or 0.0) > 150  # MiB
    assert len(last) == 100_000


def test_another_worker_goes_on_after_the_last_checkpoint(tmp_path: Path) -> None:
    undisturbed = values(begin(tmp_path / "other"), 4)
    assert values(begin(tmp_path), 2) == undisturbed[:2]
    second = begin(tmp_path)
    again = second.step()["report"]  # the second epoch's report may have been lost
    assert (again.epoch, again.value) == (2, undisturbed[1])
    assert second.step()["report"].epoch == 3
    last = second.step()
    assert last["report"].value == undisturbed[3]
    assert (last["best"].epoch, len(last["best"].user_values)) == (4, 2)
    assert last["words"] == []


def test_a_trial_whose_patience_ends_brings_its_best_epoch(tmp_path: Path) -> None:
    trials = make_trials(lambda x, epoch: [0.1, 0.3, 0.2, 0.2, 0.2, 0.2][epoch - 1])
    stopping = {"grace_epochs": 1, "patience": 2}
    worker = begin(tmp_path, until=6, trials=trials, epochs=6, stopping=stopping)
    assert [worker.step()["best"] for _ in range(3)] == [None] * 3
    best = worker.step()["best"]
    assert (best.epoch, best.value) == (2, 0.3)


def test_a_checkpoint_of_another_study_is_named_and_not_used(tmp_path: Path) -> None:
    values(begin(tmp_path, uid="old"), 2)
    first = begin(tmp_path).step()
    assert first["report"].epoch == 1
    (word,) = first["words"]
    assert word.startswith("starts again from its first epoch: a-0000.safetensors was written for")


def test_a_checkpoint_is_not_written_more_often_than_asked_for(tmp_path: Path) -> None:
    values(begin(tmp_path, seconds=3600), 3)
    assert not list(tmp_path.iterdir())


def test_a_trial_that_is_handed_back_before_its_end_has_a_checkpoint(tmp_path: Path) -> None:
    values(begin(tmp_path, seconds=3600, until=2), 2)
    assert begin(tmp_path).step()["report"].epoch == 2


def test_a_checkpoint_that_can_not_be_written_costs_a_word_and_no_trial(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    result = begin(tmp_path / "file").step()
    assert result["report"].epoch == 1
    assert result["words"] == ["no checkpoint after epoch 1: File exists"]


def test_what_is_limited_is_told_before_the_first_epoch_and_by_it(tmp_path: Path) -> None:
    """By the rehearsal what it could tell, the rest with the epoch."""
    limits = {"parameters": 10, "seconds_per_epoch": 5}
    worker = begin(tmp_path, limits=limits, rehearse=lambda *asked, **how: {"parameters": 7.0})
    assert worker.step()["measured"] == (("parameters", 7.0),)
    first = worker.step()
    assert first["measured"] == (("seconds_per_epoch", first["report"].fit_seconds),)
    assert worker.step()["measured"] == ()
    gc.unfreeze()
