"""What training needs to go on, as tensors by name."""

from typing import Any

import pytest
import torch
from torch import nn

from recsweep.models.checkpoint import (
    below,
    checkpoint_of,
    load_parameters,
    parameters_of,
    restore_checkpoint,
)


def two_optimizers() -> tuple[nn.Module, list[torch.optim.Optimizer]]:
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    parts = [torch.optim.Adam(network[n].parameters(), lr=0.1) for n in (0, 1)]
    return network, [*parts]


def step(network: nn.Module, optimizers: list[torch.optim.Optimizer]) -> None:
    network(torch.tensor([[1.0, -2.0, 3.0]])).square().sum().backward()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()


def test_a_run_goes_on_from_a_checkpoint_as_if_it_had_not_stopped() -> None:
    network, optimizers = two_optimizers()
    step(network, optimizers)
    kept = checkpoint_of(network, optimizers, 7)
    step(network, optimizers)  # what was kept is a copy
    other, others = two_optimizers()
    assert restore_checkpoint(other, others, kept) == 7
    step(other, others)
    again, expected = checkpoint_of(other, others, 8), checkpoint_of(network, optimizers, 8)
    assert again.keys() == expected.keys()
    assert all(torch.equal(again[name], expected[name]) for name in expected)


def test_each_optimisers_tensors_bear_its_number_and_the_parameters() -> None:
    network, optimizers = two_optimizers()
    step(network, optimizers)
    kept = checkpoint_of(network, optimizers, 1)
    of_second = {name for name in kept if name.startswith("optimizer/1/")}
    names = ("exp_avg", "exp_avg_sq", "step")
    assert of_second == {f"optimizer/1/{n}/{name}" for n in (0, 1) for name in names}


class Counts(nn.Module):
    """As many entries as training had courses."""

    sized_by_training = ("counts", "weight")

    def __init__(self, n: int, width: int = 1) -> None:
        super().__init__()
        self.register_buffer("counts", torch.zeros(n))
        self.weight = nn.Parameter(torch.zeros(n))
        self.fixed = nn.Parameter(torch.zeros(width))


@pytest.mark.parametrize("inside", [False, True])
def test_what_training_sizes_takes_the_states_size_and_stays_what_it_was(inside: bool) -> None:
    def wrapped(counts: Counts) -> nn.Module:
        return nn.Sequential(counts) if inside else counts

    larger = Counts(5)
    larger.counts = torch.arange(5.0)
    found: Any = Counts(0)
    load_parameters(wrapped(found), parameters_of(wrapped(larger)))
    assert found.counts.tolist() == [0, 1, 2, 3, 4]
    assert {name for name, _ in found.named_parameters()} == {"weight", "fixed"}
    assert found.weight.shape == (5,)


def test_a_state_of_another_network_is_refused() -> None:
    with pytest.raises(RuntimeError, match="fixed"):
        load_parameters(Counts(5), parameters_of(Counts(5, width=2)))


def test_what_lies_below_a_name_is_told_without_it() -> None:
    one, other = torch.ones(1), torch.zeros(1)
    assert below("a/", {"a/a/b": one, "ab": other, "c/a/": other}) == {"a/b": one}


def test_what_has_its_size_already_stays_the_same_parameter() -> None:
    found = Counts(5)
    weight = found.weight
    load_parameters(found, parameters_of(Counts(5)))
    assert found.weight is weight


def test_a_state_that_lacks_what_training_sizes_is_refused() -> None:
    state = parameters_of(Counts(5))
    del state["counts"]
    with pytest.raises(RuntimeError, match="counts"):
        load_parameters(Counts(0), state)


def test_whole_numbers_and_tensors_of_an_optimiser_come_back_as_what_they_were() -> None:
    one, other = (nn.Linear(2, 1, bias=False) for _ in range(2))
    parts = [torch.optim.SGD(network.parameters(), lr=0.1) for network in (one, other)]
    parts[0].state[one.weight] = {
        "step": 3, "rate": torch.tensor(0.5), "order": torch.tensor([2, 1])
    }  # fmt: skip
    kept = checkpoint_of(one, parts[:1], 1)
    assert kept["optimizer/0/0/step"].dtype == torch.int64
    restore_checkpoint(other, parts[1:], kept)
    found = parts[1].state[other.weight]
    assert type(found["step"]) is int
    assert found["step"] == 3
    assert isinstance(found["rate"], torch.Tensor)
    assert found["rate"] == 0.5
    assert found["order"].tolist() == [2, 1]
