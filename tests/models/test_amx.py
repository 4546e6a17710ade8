import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from recsweep.config.schema import Resources
from recsweep.models import amx, amx_library
from recsweep.models.amx_library import library
from recsweep.models.engine import ENGINE, engine_of
from recsweep.models.losses import cross_entropy
from recsweep.models.recurrence import run_gru

needs_amx = pytest.mark.skipif(library() is None, reason="needs a processor with AMX, and g++")
HALF = 2**-7  # bfloat16 rounds by 2^-9; gradients add some of that up


def close(found: Tensor, expected: Tensor) -> bool:
    return bool((found.float() - expected).norm() <= HALF * expected.norm())


@pytest.fixture
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No library was compiled or looked for yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    library.cache_clear()
    yield
    library.cache_clear()


@needs_amx
@pytest.mark.parametrize(("rows", "length", "width", "size"), [(1, 1, 4, 32), (33, 5, 48, 96)])
def test_states_and_every_gradient_are_near_those_in_float32(
    rows: int, length: int, width: int, size: int
) -> None:
    torch.manual_seed(0)
    gru = nn.GRU(width, size, batch_first=True)
    inputs = torch.randn(rows, length, width, requires_grad=True)
    weight = torch.randn(rows, length, size)
    everything = [inputs, *gru.parameters()]
    exact = run_gru(gru, inputs, nn.Identity())
    with torch.autocast("cpu", torch.bfloat16):
        ours = run_gru(gru, inputs, nn.Identity())
    assert ours.dtype == torch.bfloat16
    assert close(ours, exact)
    expected = torch.autograd.grad((exact * weight).sum(), everything)
    found = torch.autograd.grad((ours * weight).sum(), everything)
    assert all(close(a, b) for a, b in zip(found, expected, strict=True))


@needs_amx
@pytest.mark.parametrize(("n_states", "n_items", "n_targets"), [(1, 1, 1), (40, 301, 70)])
def test_the_loss_and_every_gradient_are_near_those_in_float32(
    n_states: int, n_items: int, n_targets: int
) -> None:
    torch.manual_seed(0)
    states = torch.randn(n_states, 64, requires_grad=True)
    table = (torch.randn(n_items, 64) / 8).requires_grad_()
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


@needs_amx
def test_a_state_that_is_no_number_gives_no_loss() -> None:
    states = torch.full((1, 32), torch.nan)
    target, where = torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    loss = cross_entropy(states, torch.ones(5, 32), torch.zeros(5), target, where, half=True)
    assert loss.isnan()


def test_sizes_that_fill_no_tile_are_left_to_torch() -> None:
    assert not amx.runs(33, torch.device("cpu"))


@pytest.mark.usefixtures("forgetful")
def test_without_a_compiler_a_warning_tells_and_torch_does_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(amx_library, "has_amx", lambda: True)
    monkeypatch.setenv("PATH", "")
    with pytest.warns(UserWarning, match=r"there is no g\+\+"):
        assert engine_of(Resources(precision="bf16")) == ENGINE
    assert not amx.runs(64, torch.device("cpu"))


@pytest.mark.usefixtures("forgetful")
def test_another_processor_is_no_reason_for_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(amx_library, "has_amx", lambda: False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert library() is None


@needs_amx
def test_the_record_names_the_engine_of_bfloat16_with_its_compiler() -> None:
    assert engine_of(Resources(precision="bf16")).startswith("amx-1, g++ ")
    assert engine_of(Resources()) == ENGINE
    assert engine_of(Resources(precision="bf16", gpu=1)) == ENGINE
