"""What an optimiser of torch keeps, as tensors by name."""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.optim import Optimizer


def optimizer_tensors(optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """`<optimiser>/<parameter>/<name>`, copied. Whole numbers become int64 tensors."""
    return {
        f"{n}/{parameter}/{name}": torch.as_tensor(value).detach().clone()
        for n, optimizer in enumerate(optimizers)
        for parameter, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def restore_optimizers(optimizers: Sequence[Optimizer], tensors: Mapping[str, Tensor]) -> None:
    """The inverse, into optimisers that were built alike."""
    for n, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, Tensor | int]] = {}
        for parameter, name, value in _of(n, tensors):
            whole = value.dtype == torch.int64 and value.dim() == 0
            state.setdefault(parameter, {})[name] = int(value) if whole else value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})


def _of(optimizer: int, tensors: Mapping[str, Tensor]) -> Iterator[tuple[int, str, Tensor]]:
    for key, value in tensors.items():
        n, parameter, name = key.split("/")
        if int(n) == optimizer:
            yield int(parameter), name, value
