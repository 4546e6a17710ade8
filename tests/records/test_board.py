from pathlib import Path

import pytest

from recsweep.errors import BadInput
from recsweep.records.board import Board, read_board, write_board


def test_a_definition_of_dashboards_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    board = Board(
        project="recsweep",
        study="mine",
        title="mine: tuned recommenders compared",
        metric="ndcg@10",
        lower_is_better=False,
        folds=2,
        tuned={"gru": {"hidden_size": True}},
        verdict=("gru beats markov.", "Opened once."),
    )
    with pytest.raises(BadInput, match=r"dashboards\.json: cannot be read"):
        read_board(tmp_path)
    assert read_board(write_board(board, tmp_path).parent) == board
    (tmp_path / "dashboards.json").write_text('{"project": "x"}')
    with pytest.raises(BadInput, match="study"):
        read_board(tmp_path)
