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
from recsweep.training.trial import Diverged

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


@pytest.fixture
def asked() -> Iterator[dict[str, Any]]:
    """What trials and rehearsals were asked for, by `recording`."""
    yield {}
    gc.unfreeze()


def recording(asked: dict[str, Any]) -> Any:
    """Made-up trials whose making is kept in `asked`."""
    made_up = make_trials()

    def make(family: str, config: Any, folds: Any, experiment: Any, **rest: Any) -> Any:
        asked.update(family=family, config=config, folds=len(folds), **rest)
        return made_up(family, config, folds, experiment, **rest)

    return make


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


def test_a_rehearsal_is_asked_once_and_only_for_what_is_not_known(
    tmp_path: Path, asked: dict[str, Any]
) -> None:
    def rehearse(kind: str, config: Any, folds: Any, experiment: Any, **how: Any) -> Any:
        asked.setdefault("rehearsed", []).append((kind, config, len(folds), how))
        return {}

    limits = {"parameters": 10, "memory_mb": 5000}
    worker = begin(tmp_path, limits=limits, rehearse=rehearse)
    assert worker.step()["report"].epoch == 1  # the rehearsal told nothing, so it trains at once
    assert asked["rehearsed"] == [("made_up", {"x": 0.5}, 2, {"device": CPU})]
    proposal = Proposal("a-0001", "a", 1, {"x": 0.5}, 1, 4, measured=True)
    worker.reset_config({"proposal": proposal})
    assert worker.step()["report"].epoch == 1
    assert len(asked["rehearsed"]) == 1
    worker.reset_config(NEXT)
    worker.step()
    assert len(asked["rehearsed"]) == 2
    timed = begin(
        tmp_path / "timed",
        limits={"seconds_per_epoch": 5},
        rehearse=lambda *_, **__: {"seconds_per_epoch": 1.0},
    )
    # What a rehearsal told is not told once more by the first epoch.
    assert [timed.step()["measured"] for _ in range(2)] == [(("seconds_per_epoch", 1.0),), ()]
    timed.reset_config({"proposal": proposal})
    first = timed.step()  # no rehearsal, so the epoch tells it
    assert first["measured"] == (("seconds_per_epoch", first["report"].fit_seconds),)
    unlimited = begin(tmp_path / "other", rehearse=rehearse)
    assert unlimited.step()["measured"] == ()
    assert len(asked["rehearsed"]) == 2


@pytest.mark.parametrize(("limits", "seconds"), [({}, 0.05), ({"p99_ms": 9}, 2.0)])
def test_a_trial_is_made_as_its_proposal_says(
    tmp_path: Path, asked: dict[str, Any], limits: dict[str, float], seconds: float
) -> None:
    trials = recording(asked)
    worker = begin(tmp_path, trials=trials, limits=limits, rehearse=lambda *_, **__: {}, epochs=6)
    worker.reset_config({"proposal": Proposal("a-0007", "a", 7, {"x": 0.25}, 11, 4)})
    assert worker.step()["report"].epoch == 1
    assert asked == {
        **{"family": "made_up", "config": {"x": 0.25}, "folds": 2, "epochs": 6, "seed": 11},
        **{"device": CPU, "answer_seconds": seconds},
    }
    (checkpoint,) = tmp_path.iterdir()
    assert checkpoint.name == "a-0007.safetensors"
    owner = {"study": "1234", "trial": "a-0007", "config": {"x": 0.25}, "seed": 11}
    found = Checkpoints(tmp_path).read("a-0007", owner)
    assert found is not None
    assert found.last.epoch == 1


@pytest.mark.parametrize("energy", [None, {"watts_per_core": 10}])
def test_an_epochs_energy_is_told_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, energy: dict[str, float] | None
) -> None:
    heard: list[str] = []

    class Joules:
        def __init__(self, declared: object, gpu: float) -> None:
            heard.append(f"made for {gpu}")

        def restart(self) -> None:
            heard.append("restarted")

        def joules(self) -> tuple[float, float]:
            heard.append("asked")
            return 5.0, 2.0

    monkeypatch.setattr("recsweep.search.worker.Meter", Joules)
    worker = begin(tmp_path, energy=energy)
    report = worker.step()["report"]
    gc.unfreeze()
    if energy is None:
        assert (report.joules, report.joules_estimated, heard) == (None, None, [])
    else:
        assert (report.joules, report.joules_estimated) == (5.0, 2.0)
        assert heard == ["made for 0", "restarted", "asked"]


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (Diverged("the loss is nan"), "diverged: the loss is nan"),
        (ValueError("no such\nwidth"), "ValueError: no such"),
        (RuntimeError("not enough memory"), "RuntimeError: not enough memory"),
        (float("inf"), "diverged: the score is inf in epoch 2"),
    ],
)
def test_a_trial_that_cant_go_on_says_why_and_its_worker_takes_the_next(
    tmp_path: Path, trouble: Exception | float, reason: str
) -> None:
    def after_one(x: float, epoch: int) -> float:
        if epoch == 1 or x != 0.5:
            return 0.1
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    worker = begin(tmp_path, trials=make_trials(after_one))
    assert worker.step()["report"].epoch == 1
    assert worker.step() == {"failure": reason, "words": []}
    gc.unfreeze()
    worker.reset_config({"proposal": Proposal("a-0001", "a", 1, {"x": 0.1}, 1, 4)})
    assert values(worker, 2) == [0.1, 0.1]


def test_a_lost_gpu_ends_the_process_for_a_new_one_to_come(tmp_path: Path) -> None:
    def lost(x: float, epoch: int) -> float:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="CUDA error"):
        begin(tmp_path, trials=make_trials(lost)).step()
    gc.unfreeze()


def test_the_last_epoch_leaves_no_checkpoint(tmp_path: Path) -> None:
    trials = make_trials()
    worker = begin(tmp_path, until=1, epochs=1, trials=trials)
    last = worker.step()
    gc.unfreeze()
    assert (last["best"].epoch, last["report"].user_values) == (1, ())
    assert not list(tmp_path.iterdir())


def test_a_trial_that_keeps_no_checkpoint_goes_on_without(tmp_path: Path) -> None:
    class Fleeting(make_trials()):  # type: ignore[misc]
        def checkpoint(self) -> None:
            return None

    worker = begin(tmp_path, trials=Fleeting)
    assert [worker.step()["report"].epoch for _ in range(2)] == [1, 2]
    gc.unfreeze()
    assert not list(tmp_path.iterdir())


def test_writing_takes_its_share_of_a_trials_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most one part in twenty: what took 2 s is due again 40 s later."""
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    written: list[float] = []

    def write(self: Checkpoints, *given: object) -> None:
        written.append(clock[0])
        clock[0] += 2.0

    monkeypatch.setattr(Checkpoints, "write", write)
    worker = begin(tmp_path, seconds=1.0, until=9, epochs=9)
    for at in (100.5, 101.0, 142.5, 143.0):
        clock[0] = at
        worker.step()
    gc.unfreeze()
    assert written == [101.0, 143.0]  # 40 s after the 103rd second


@pytest.mark.parametrize(("gpus", "device"), [([], "cpu"), ([0], "cuda")])
def test_a_worker_trains_where_ray_has_put_it_with_a_thread_a_core(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    gpus: list[int],
    device: str,
    asked: dict[str, Any],
) -> None:
    threads: list[int] = []
    emptied: list[bool] = []
    monkeypatch.setattr("ray.get_gpu_ids", lambda: gpus)
    monkeypatch.setattr("torch.set_num_threads", threads.append)
    monkeypatch.setattr("torch.cuda.empty_cache", lambda: emptied.append(True))
    resources = {"cpu": 3, "checkpoint_seconds": 3600}
    worker = begin(tmp_path, trials=recording(asked), resources=resources)
    worker.step()
    assert asked["device"] == torch.device(device)
    assert threads == [3]
    assert worker.reset_config(NEXT) is True
    assert len(emptied) == 2 * len(gpus)  # whenever a trial goes
