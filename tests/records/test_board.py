from pathlib import Path

import pytest
from boards import BOARD

from recsweep.errors import BadInput
from recsweep.records.board import read_board, write_board


def test_a_definition_of_dashboards_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"dashboards\.json: cannot be read"):
        read_board(tmp_path)
    assert read_board(write_board(BOARD, tmp_path).parent) == BOARD
    (tmp_path / "dashboards.json").write_text('{"project": "x"}')
    with pytest.raises(BadInput, match="study"):
        read_board(tmp_path)
