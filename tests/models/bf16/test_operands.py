"""How tensors are laid out for the kernels."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from recsweep.models.bf16 import operands
from recsweep.models.bf16.operands import call, on_padded_units, packed, padded, time_major, up
from recsweep.models.gru_layer import GruLayer


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 0), (1, 32), (31, 32), (32, 32), (33, 64), (64, 64)]
)
def test_counts_go_up_to_the_next_multiple_of_32(count: int, expected: int) -> None:
    assert up(count) == expected


@pytest.mark.parametrize("rows", [3, 32])
def test_a_grid_is_turned_to_time_first_with_rows_of_zeros_added(rows: int) -> None:
    grid = torch.arange(rows * 4 * 2.0).view(rows, 4, 2)
    found = time_major(grid)
    assert found.shape == (4, 32, 2)
    assert found.dtype == torch.bfloat16
    assert found.is_contiguous()
    assert torch.equal(found[:, :rows], grid.transpose(0, 1).bfloat16())
    assert not found[:, rows:].any()


def test_a_matrix_gets_rows_and_columns_of_zeros() -> None:
    matrix = torch.arange(33 * 5.0).view(33, 5) + 1
    found = padded(matrix)
    assert found.shape == (64, 32)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found[:33, :5], matrix.bfloat16())
    assert found.count_nonzero() == 33 * 5


def test_a_right_operand_is_packed_by_tiles_of_16_columns_and_16_pairs_of_rows() -> None:
    matrix = torch.arange(1024 * 320).view(1024, 320)
    found = packed(matrix)
    assert found.shape == (20, 32, 16, 16, 2)
    assert found.is_contiguous()
    for n, k, pair, column, one in ((0, 0, 0, 0, 0), (2, 1, 5, 7, 1), (19, 31, 15, 0, 1)):
        place = found[n, k, pair, column, one]
        assert place == matrix[32 * k + 2 * pair + one, 16 * n + column]


def test_a_function_is_asked_with_addresses_and_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []

    def function(*asked: object) -> float:
        told.extend(asked)
        return 2.5

    library = SimpleNamespace(functions=SimpleNamespace(some=function))
    monkeypatch.setattr(operands, "library", lambda: library)
    one, other = torch.zeros(3), torch.zeros(2, 2)
    assert call("some", (one, other), (3, 4)) == 2.5
    assert [getattr(each, "value", each) for each in told] == [
        one.data_ptr(), other.data_ptr(), 3, 4
    ]  # fmt: skip
    with pytest.raises(AssertionError):
        call("some", (torch.zeros(2, 3).T,), ())


@pytest.mark.parametrize("size", [5, 32])
def test_padded_units_change_no_state_and_no_gradient(size: int) -> None:
    torch.manual_seed(0)
    layer, inputs = nn.GRU(3, size, batch_first=True).double(), torch.randn(2, 4, 3).double()
    weights = [*layer.parameters()]
    seen: list[tuple[int, ...]] = []

    def wide(*parts: Tensor) -> Tensor:
        seen.extend(tuple(each.shape) for each in parts[1:])
        states: Tensor = GruLayer.apply(*parts)  # type: ignore[no-untyped-call]
        return states

    found, expected = on_padded_units(wide, inputs, *weights), layer(inputs)[0]
    assert seen == [(96, 3), (96, 32), (96,), (96,)]
    torch.testing.assert_close(found, expected)
    by = torch.randn(2, 4, size).double()
    slopes = (torch.autograd.grad((each * by).sum(), weights) for each in (found, expected))
    for a, b in zip(*slopes, strict=True):
        torch.testing.assert_close(a, b)
