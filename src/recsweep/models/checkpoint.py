"""All that training by gradient needs to go on after an epoch, as tensors by name.

`network/<name>`, `optimizer/<optimiser>/<parameter>/<name>` and `epoch`.
"""

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def checkpoint_of(
    network: nn.Module, optimizers: Sequence[Optimizer], epoch: int
) -> dict[str, Tensor]:
    """A copy of the parameters, what the optimisers keep of each, and the epoch."""
    kept = _optimizer_tensors(optimizers)
    return {
        "epoch": torch.tensor(epoch),
        **{f"network/{name}": value for name, value in parameters_of(network).items()},
        **{f"optimizer/{name}": value for name, value in kept.items()},
    }


def restore_checkpoint(
    network: nn.Module, optimizers: Sequence[Optimizer], checkpoint: Mapping[str, Tensor]
) -> int:
    """The inverse, into a network and optimisers that were built alike; gives the epoch."""
    network.load_state_dict(below("network/", checkpoint))
    _restore_optimizers(optimizers, below("optimizer/", checkpoint))
    return int(checkpoint["epoch"])


def load_parameters(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Take over what `parameters_of` gave, into a network that may have seen no training data.

    A module names in `sized_by_training` what has as many entries as training had something of:
    those take the state's size.

    Raises:
        RuntimeError: the state is of another network.
    """
    for path, module in network.named_modules():
        for name in getattr(module, "sized_by_training", ()):
            value = state.get(f"{path}.{name}" if path else name)
            own = getattr(module, name)
            if value is not None and value.shape != own.shape:
                fresh = torch.empty_like(value, device=own.device)
                setattr(module, name, nn.Parameter(fresh) if name in module._parameters else fresh)
    network.load_state_dict(dict(state))


def parameters_of(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the parameters."""
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def _optimizer_tensors(optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """Copies. Whole numbers become int64 tensors."""
    return {
        f"{n}/{parameter}/{name}": torch.as_tensor(value).detach().clone()
        for n, optimizer in enumerate(optimizers)
        for parameter, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def _restore_optimizers(optimizers: Sequence[Optimizer], tensors: Mapping[str, Tensor]) -> None:
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


def below(start: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those whose names begin so, without it."""
    return {n.removeprefix(start): value for n, value in tensors.items() if n.startswith(start)}
