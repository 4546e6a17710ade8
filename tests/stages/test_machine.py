"""What a process of a stage takes of the machine."""

from contextlib import AbstractContextManager, nullcontext

import pytest
import torch

from recsweep.config.schema import Resources
from recsweep.stages import machine
from recsweep.stages.machine import device_of, worker_count


@pytest.mark.parametrize(
    ("gpu", "there", "devices"),
    [
        (0.5, 2, ["cuda:0", "cuda:1", "cuda:0"]),
        (0.5, 0, ["cpu"] * 3),
        (0, 2, ["cpu"] * 3),
    ],
)
def test_a_gpu_is_taken_where_one_is_asked_for_and_there_in_turn(
    monkeypatch: pytest.MonkeyPatch, gpu: float, there: int, devices: list[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    assert [str(device_of(Resources(gpu=gpu), n)) for n in range(3)] == devices


@pytest.mark.parametrize(
    ("resources", "jobs", "count"),
    [
        ({}, 9, 4),  # a core each
        ({"cpu": 3}, 9, 1),
        ({"cpu": 8}, 9, 1),  # one at least
        ({"cpu": 2}, 9, 2),
        ({}, 3, 3),
        ({"workers": 2}, 9, 2),
        ({"workers": 8}, 9, 4),
        ({"workers": 8}, 3, 3),
        ({"gpu": 1}, 9, 2),
        ({"gpu": 0.4}, 9, 4),  # there are GPUs for five, and cores for four
        ({"gpu": 4}, 9, 1),
    ],
)
def test_as_many_processes_run_as_jobs_cores_gpus_and_the_experiment_allow(
    monkeypatch: pytest.MonkeyPatch, resources: dict[str, float], jobs: int, count: int
) -> None:
    monkeypatch.setattr(machine, "usable_cores", lambda: 4)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert worker_count(Resources.model_validate(resources), jobs) == count


def test_a_machine_without_gpus_is_filled_by_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "usable_cores", lambda: 4)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert worker_count(Resources(gpu=1), 9) == 4


def test_threads_are_those_of_a_worker_and_given_back_even_after_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[str, int]] = []

    def limit(wanted: int) -> AbstractContextManager[None]:
        told.append(("others", wanted))
        return nullcontext()

    def fail() -> None:
        with machine.threads(Resources(cpu=5)):
            raise KeyError

    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", lambda n: told.append(("torch", n)))
    monkeypatch.setattr(machine, "threadpool_limits", limit)
    with pytest.raises(KeyError):
        fail()
    assert told == [("torch", 5), ("others", 5), ("torch", 3)]
