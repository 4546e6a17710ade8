from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from recsweep.models.bf16 import library as compiled
from recsweep.models.bf16.library import PRODUCTS, library, products
from recsweep.models.losses import cross_entropy
from recsweep.models.stacks import Cell, run

HALF = 2**-7  # bfloat16 rounds by 2^-9; gradients add some of that up


def close(found: Tensor, expected: Tensor) -> bool:
    return bool((found.float() - expected).norm() <= HALF * expected.norm())


@pytest.fixture(params=PRODUCTS, ids=lambda product: product.name)
def product(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each that this processor has, alone."""
    if request.param not in products() or library() is None:
        pytest.skip("needs g++, and a processor that multiplies so")
    monkeypatch.setattr(compiled, "products", lambda: [request.param])
    library.cache_clear()
    yield
    library.cache_clear()


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM])
@pytest.mark.parametrize(
    ("rows", "length", "width", "size"), [(1, 1, 4, 32), (33, 5, 48, 96), (3, 4, 7, 33)]
)
def test_states_and_every_gradient_are_near_those_in_float32(
    cell: Cell, rows: int, length: int, width: int, size: int
) -> None:
    torch.manual_seed(0)
    layers = cell(width, size, batch_first=True)
    inputs = torch.randn(rows, length, width, requires_grad=True)
    weight = torch.randn(rows, length, size)
    everything = [inputs, *layers.parameters()]
    exact = run(layers, inputs, nn.Identity())
    with torch.autocast("cpu", torch.bfloat16):
        ours = run(layers, inputs, nn.Identity())
    assert ours.dtype == torch.bfloat16
    assert close(ours, exact)
    expected = torch.autograd.grad((exact * weight).sum(), everything)
    found = torch.autograd.grad((ours * weight).sum(), everything)
    assert all(close(a, b) for a, b in zip(found, expected, strict=True))


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize(
    ("n_states", "n_items", "n_targets", "width"),
    [(1, 1, 1, 64), (40, 301, 70, 64), (9, 70, 20, 5)],
)
def test_the_loss_and_every_gradient_are_near_those_in_float32(
    n_states: int, n_items: int, n_targets: int, width: int
) -> None:
    torch.manual_seed(0)
    states = torch.randn(n_states, width, requires_grad=True)
    table = (torch.randn(n_items, width) / 8).requires_grad_()
    bias = torch.randn(n_items, requires_grad=True)
    target = torch.randint(n_items, (n_targets,))
    target_state = torch.randint(n_states, (n_targets,)).sort().values
    losses = [
        cross_entropy(states, table, bias, target, target_state, half=half)
        for half in (False, True)
    ]
    torch.testing.assert_close(losses[1], losses[0], atol=1e-6, rtol=HALF)
    expected, found = (torch.autograd.grad(3 * loss, (states, table, bias)) for loss in losses)
    for a, b in zip(found, expected, strict=True):
        assert close(a, b) or b.abs().max() < 1e-6  # one item leaves nothing to learn


@pytest.mark.usefixtures("product")
def test_a_state_that_is_no_number_gives_no_loss() -> None:
    states = torch.full((1, 32), torch.nan)
    target, where = torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    loss = cross_entropy(states, torch.ones(5, 32), torch.zeros(5), target, where, half=True)
    assert loss.isnan()
