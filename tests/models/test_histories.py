from dataclasses import replace

import numpy as np
import pytest
import torch
from worlds import training_of

from recsweep.models import histories
from recsweep.models.histories import (
    BLOCK_PLACES,
    HistoryTable,
    even_blocks,
    filled,
    rows_of_width,
    whole_histories,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("width", [None, 5])
def test_a_table_hands_out_histories_with_all_that_is_known_of_their_events(
    dated: bool, width: int | None
) -> None:
    plain = training_of([[3, 4, 5], [6], [7, 1]], 8).sequences
    numbers = np.arange(6, dtype=np.float32)
    sequences = replace(
        plain,
        time=np.arange(6) * 10**15,
        kind=np.array([0, 1, 2, 0, 2, 1], np.int8),
        features=np.arange(6, dtype=np.float32).reshape(3, 2),
        item_features=np.stack((numbers, -numbers), 1) if dated else None,
        event_features=numbers[:, None] if dated else None,
    )
    row, length = np.array([1, 0, 0]), np.array([3, 2, 0], np.int32)
    found = HistoryTable(sequences, CPU).histories(np.array([2, 0]), row, length, width)
    assert found.items.shape == (2, width or 3)
    assert found.items[0, :2].tolist() == [7, 1]
    assert found.items[1, :3].tolist() == [3, 4, 5]
    assert found.time is not None
    assert found.kinds is not None
    assert found.time[1, :3].tolist() == [0, 10**15, 2 * 10**15]
    assert found.kinds[0, :2].tolist() == [2, 1]
    assert found.user_features.tolist() == [[4, 5], [0, 1]]
    assert found.row.tolist() == [1, 0, 0]
    assert found.length.tolist() == [3, 2, 0]
    for each in (found.items, found.time, found.kinds, found.length):
        assert each.dtype == torch.int64
    assert (found.item_features is not None) is dated
    assert (found.event_features is not None) is dated
    if found.item_features is not None and found.event_features is not None:
        assert found.item_features[0, :2].tolist() == [[4, -4], [5, -5]]
        assert found.event_features[1, :3].tolist() == [[0], [1], [2]]


def test_of_nobody_and_of_nothing_asked_a_grid_has_no_places() -> None:
    table = HistoryTable(training_of([[3], []], 8).sequences, CPU)
    nobody = np.zeros(0, np.int64)
    assert table.histories(nobody, nobody, nobody).items.shape == (0, 0)
    none = table.histories(np.array([1]), np.array([0]), np.array([0]), width=2)
    assert none.items.shape == (1, 2)  # a learner without an event, past the end of all


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
    told = [[0] * n for n in (2, 3, 1, 2, 9, 3, 10)]
    found = whole_histories(training_of(told, 1).sequences, torch.device("cpu"))
    blocks = [(rows.tolist(), tuple(asked.items.shape)) for rows, asked in found]
    # Three rows of two places fill a grid of six, as do two of three; longer ones stand alone.
    assert blocks == [([2, 0, 3], (3, 2)), ([1, 5], (2, 3)), ([4], (1, 9)), ([6], (1, 10))]


def test_a_block_is_as_wide_as_the_power_of_two_that_its_histories_need() -> None:
    lengths = np.array([0, 1, 2, 3, 4, 5, 8, 9, 3])
    blocks = [(at.tolist(), width) for at, width in even_blocks(lengths, 2)]
    assert blocks == [([0, 1], 1), ([2], 2), ([3, 4], 4), ([8], 4), ([5, 6], 8), ([7], 16)]


def test_a_block_is_filled_up_by_its_first_position() -> None:
    assert filled(np.array([7, 3]), 4).tolist() == [7, 3, 7, 7]
    assert filled(np.array([7, 3]), 2).tolist() == [7, 3]
