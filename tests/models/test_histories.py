import numpy as np
import pytest
import torch
from worlds import training_of

from recsweep.models import histories
from recsweep.models.histories import (
    BLOCK_PLACES,
    even_blocks,
    filled,
    rows_of_width,
    whole_histories,
)


@pytest.mark.parametrize(
    ("width", "rows"),
    [(1, 32), (BLOCK_PLACES // 32, 32), (BLOCK_PLACES // 3, 3), (BLOCK_PLACES, 1)],
)
def test_a_block_of_long_histories_holds_fewer_and_one_at_least(width: int, rows: int) -> None:
    assert rows_of_width(width, 32) == rows
    assert rows_of_width(2 * BLOCK_PLACES, 32) == 1


def test_every_history_comes_once_with_its_own_events_and_those_of_one_length_together() -> None:
    random = np.random.default_rng(0)
    lengths = random.integers(1, 9, 40)
    told = [random.integers(0, 50, n).tolist() for n in lengths]
    found = {}
    for rows, asked in whole_histories(training_of(told, 50).sequences, torch.device("cpu")):
        assert asked.row.tolist() == list(range(len(rows)))
        assert np.all(np.diff(lengths[rows]) >= 0)
        for row, items, length in zip(rows, asked.items.tolist(), asked.length, strict=True):
            found[int(row)] = items[:length]
    assert found == dict(enumerate(told))


def test_histories_stand_together_until_their_grid_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(histories, "BLOCK_PLACES", 6)
    told = [[0] * n for n in (2, 3, 1, 2, 9, 3)]
    found = whole_histories(training_of(told, 1).sequences, torch.device("cpu"))
    blocks = [(rows.tolist(), tuple(asked.items.shape)) for rows, asked in found]
    # Three rows of two places fill a grid of six, as do two of three; a longer one stands alone.
    assert blocks == [([2, 0, 3], (3, 2)), ([1, 5], (2, 3)), ([4], (1, 9))]


def test_a_block_is_as_wide_as_the_power_of_two_that_its_histories_need() -> None:
    lengths = np.array([0, 1, 2, 3, 4, 5, 8, 9, 3])
    blocks = [(at.tolist(), width) for at, width in even_blocks(lengths, 2)]
    assert blocks == [([0, 1], 1), ([2], 2), ([3, 4], 4), ([8], 4), ([5, 6], 8), ([7], 16)]


def test_a_block_is_filled_up_by_its_first_position() -> None:
    assert filled(np.array([7, 3]), 4).tolist() == [7, 3, 7, 7]
    assert filled(np.array([7, 3]), 2).tolist() == [7, 3]
