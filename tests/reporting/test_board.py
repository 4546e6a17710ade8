"""The definition of the W&B dashboards, built from a study's records."""

from collections.abc import Callable

from recsweep.records.confirmation import Confirmation
from recsweep.records.selection import Selection
from recsweep.records.study import Study
from recsweep.reporting.board import build_board, opening_board

MakeStudy = Callable[..., Study]
SelectionOf = Callable[[Study], Selection]


def test_a_board_has_a_grid_for_every_tuned_family_with_its_parameters_on_their_scales(
    make_study: MakeStudy, selection_of: SelectionOf
) -> None:
    study = make_study(6)
    board = build_board(study, selection_of(study), None)
    assert board.folds == study.experiment.folds.count
    assert {name: list(parameters) for name, parameters in board.tuned.items()} == {
        name: list(space.parameters) for name, space in study.spaces.items() if space.parameters
    }
    assert board.tuned["gru"]["learning_rate"]
    assert not board.tuned["gru"]["depth"]


def test_the_verdict_is_said_where_the_test_was_opened_and_withheld_where_not(
    make_study: MakeStudy,
    selection_of: SelectionOf,
    confirmation_of: Callable[..., Confirmation],
) -> None:
    study = make_study(6)
    closed = build_board(study, selection_of(study), None)
    opened = build_board(study, selection_of(study), confirmation_of(study))
    assert closed.verdict[0].startswith("Not answered yet: ")
    assert "not opened" in closed.tables["Leaderboard"]
    assert set(closed.tables) == {"Leaderboard"}
    assert opened.verdict[0].startswith("Partly: on this log, ")
    assert set(opened.tables) == {"Leaderboard", "Verdicts", "Openings of the sealed test"}
    assert "2026-01-01 00:00 UTC | confirm" in opened.tables["Openings of the sealed test"]
    assert "not opened" not in opened.tables["Leaderboard"]


def test_a_sweep_that_begins_has_the_same_panels_already(
    make_study: MakeStudy, selection_of: SelectionOf
) -> None:
    study = make_study(6)
    opening = opening_board(study.experiment, study.spaces)
    later = build_board(study, selection_of(study), None)
    without = {"verdict": opening.verdict, "tables": {}, "question": ""}
    assert opening == later.model_copy(update=without)


def test_each_loss_has_a_panel_and_the_question_is_about_networks_and_baselines(
    make_study: MakeStudy,
) -> None:
    study = make_study(2)
    board = opening_board(study.experiment, study.spaces)
    kinds = study.spaces["matrix_factorization"].parameters["loss"].choices
    assert {f"loss/{kind}" for kind in kinds} <= set(board.losses)
    assert len(set(board.losses)) == len(board.losses)
    assert set(board.compared) == {"gru", "lstm", "matrix_factorization", "wide_deep"}


def test_the_same_records_give_the_same_board(
    make_study: MakeStudy, selection_of: SelectionOf
) -> None:
    study = make_study(6)
    first, second = (build_board(study, selection_of(study), None) for _ in range(2))
    assert first == second
    assert study.experiment.study in first.title
