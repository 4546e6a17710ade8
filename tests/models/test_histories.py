import pytest

from recsweep.models.histories import BLOCK_PLACES, rows_of_width


@pytest.mark.parametrize(
    ("width", "rows"),
    [(1, 32), (BLOCK_PLACES // 32, 32), (BLOCK_PLACES // 3, 3), (BLOCK_PLACES, 1)],
)
def test_a_block_of_long_histories_holds_fewer_and_one_at_least(width: int, rows: int) -> None:
    assert rows_of_width(width, 32) == rows
    assert rows_of_width(2 * BLOCK_PLACES, 32) == 1
