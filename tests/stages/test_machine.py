"""What a process of a stage takes of the machine."""

import pytest
import torch

from recsweep.config.schema import Resources
from recsweep.stages.machine import device_of


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
