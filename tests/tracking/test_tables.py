from pathlib import Path

import pytest
from studies import trial_row
from worlds import experiment_of

from recsweep.config.files import read_yaml
from recsweep.spaces.declared import DeclaredSpace
from recsweep.tracking.tables import leaderboard_table, space_table


@pytest.mark.parametrize("path", sorted(Path("search_spaces").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_parameter_of_a_space_has_a_row(path: Path) -> None:
    declared = read_yaml(path)
    columns, rows = space_table({"name": DeclaredSpace(**declared)})
    assert {row[1] for row in rows} == set(declared.get("parameters", {}))
    assert all(len(row) == len(columns) for row in rows)


def test_the_leaderboard_has_the_best_first_and_scoreless_trials_last() -> None:
    trials = [
        trial_row(0, (0.1,)),
        trial_row(1, (), state="failed", reason="diverged"),
        trial_row(2, (0.0,)),
        trial_row(3, (0.1, 0.3)),
    ]
    columns, rows = leaderboard_table(experiment_of(), trials)
    assert columns[3] == "ndcg@10"
    assert [row[0] for row in rows] == ["gru-0003", "gru-0000", "gru-0002", "gru-0001"]
    assert rows[-1][3] is None
