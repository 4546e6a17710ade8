"""What goes on from a checkpoint must be what had never been interrupted."""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from safetensors.torch import load, save

from recsweep.models.protocol import Model, Resumable

M = TypeVar("M", bound=Model)


def undisturbed_and_resumed(new: Callable[[], M]) -> tuple[M, M]:
    """Two models of five epochs, equal bit for bit; one was saved and restored after three."""
    undisturbed, cut_off, resumed = new(), new(), new()
    losses = [undisturbed.fit_epoch() for _ in range(5)]
    for _ in range(3):
        cut_off.fit_epoch()
    assert isinstance(cut_off, Resumable)
    assert isinstance(resumed, Resumable)
    kept = load(save(cut_off.checkpoint()))
    cut_off.fit_epoch()  # what was kept is a copy
    torch.manual_seed(99)
    np.random.seed(99)
    resumed.restore(kept)
    assert [resumed.fit_epoch() for _ in range(2)] == losses[3:]
    for name, value in undisturbed.state().items():
        assert torch.equal(value, resumed.state()[name])
    return undisturbed, resumed
