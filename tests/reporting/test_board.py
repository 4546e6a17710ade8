"""The definition of the W&B dashboards, built from a study's records."""

from collections.abc import Callable

from recsweep.records.board import LinePanel, ParallelPanel
from recsweep.records.confirmation import ConfirmationSummary
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.board import build_board, opening_board

MakeStudy = Callable[..., Study]
SelectionOf = Callable[[Study], Selection]


def test_a_board_asks_the_reports_questions_in_their_order(
    make_study: MakeStudy, selection_of: SelectionOf
) -> None:
    study = make_study(6)
    board = build_board(study, selection_of(study), None)
    titles = [grid.title for grid in board.grids]
    assert titles[0] == "Families"
    assert titles[-3:] == ["Folds", "Budget", "Cost"]
    tuned = [name for name, space in study.spaces.items() if space.get("parameters")]
    parameters = [grid for grid in board.grids if grid.title.startswith("Parameters of ")]
    assert {grid.where["family"] for grid in parameters} == set(tuned)
    for grid in parameters:
        (parallel,) = (p for p in grid.panels if isinstance(p, ParallelPanel))
        names = [axis.name for axis in parallel.axes]
        declared = study.spaces[grid.where["family"]]["parameters"]
        assert isinstance(declared, dict)
        assert names == [*declared, "best_value"]
    folds = board.grids[-3].panels
    assert len(folds) == study.experiment.folds.count
    assert all(isinstance(p, LinePanel) and p.metrics[0].startswith("fold/") for p in folds)


def test_the_verdict_is_said_where_the_test_was_opened_and_withheld_where_not(
    make_study: MakeStudy,
    selection_of: SelectionOf,
    confirmation_of: Callable[..., ConfirmationSummary],
) -> None:
    study = make_study(6)
    closed = build_board(study, selection_of(study), None)
    opened = build_board(study, selection_of(study), confirmation_of(study))
    assert "no verdict yet" in " ".join(closed.verdict)
    assert "not opened" in closed.tables["Leaderboard"]
    assert set(closed.tables) == {"Leaderboard"}
    assert opened.verdict[0].startswith("On the sealed test, ")
    assert set(opened.tables) == {"Leaderboard", "Verdicts"}
    assert "not opened" not in opened.tables["Leaderboard"]


def test_a_sweep_that_begins_has_the_same_grids_already(
    make_study: MakeStudy, selection_of: SelectionOf
) -> None:
    study = make_study(6)
    opening = opening_board(study.experiment, study.spaces)
    later = build_board(study, selection_of(study), None)
    assert (opening.title, opening.grids) == (later.title, later.grids)


def test_the_same_records_give_the_same_board(
    make_study: MakeStudy, selection_of: SelectionOf
) -> None:
    study = make_study(6)
    first, second = (build_board(study, selection_of(study), None) for _ in range(2))
    assert first == second
    assert study.experiment.study in first.title
