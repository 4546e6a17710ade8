from typing import Any, Literal

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from recsweep.errors import BadInput
from recsweep.search.trials import (
    booked,
    check_trials,
    epochs_of,
    finished,
    is_refused,
    trial_id,
    trial_row,
    trial_rows,
)
from recsweep.training.epoch import EpochReport

COMPLETE, PRUNED, FAIL = TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL


def trial(
    number: int = 0, state: TrialState = COMPLETE, epochs: int = 2, **attrs: Any
) -> FrozenTrial:
    """Each epoch fits for 2 s and evaluates for 0.5 s; the later are asked for first."""
    reports = [
        EpochReport(n, n / 100, {"ndcg@10": (n / 100,)}, (None,), 2.0, 0.5)
        for n in range(epochs, 0, -1)
    ]
    ours = {"number": number, "attempt": 0, "seed": 7, "config": {"x": 0.5}}
    return create_trial(
        state=state,
        value=0.5 if state == COMPLETE else None,
        params={"x": 0.5},
        distributions={"x": FloatDistribution(0, 1)},
        user_attrs={**ours, **{f"epoch {r.epoch}": r.entry() for r in reports}, **attrs},
        intermediate_values={r.epoch: r.value for r in reports},
    )


def study_with(
    name: str, *trials: FrozenTrial, direction: Literal["minimize", "maximize"] = "maximize"
) -> optuna.Study:
    study = optuna.create_study(study_name=name, direction=direction)
    study.add_trials(trials)
    return study


def test_a_trial_is_called_by_its_family_and_number() -> None:
    assert trial_id("gru", 3) == "gru-0003"
    assert trial_id("gru", 12345) == "gru-12345"


def test_what_was_cut_off_or_goes_on_has_not_finished() -> None:
    over = [trial(0), trial(1, PRUNED), trial(2, FAIL, reason="diverged: nan")]
    cut_off = trial(3, FAIL, reason="interrupted")
    waits = create_trial(state=TrialState.WAITING)
    runs = create_trial(state=TrialState.RUNNING)
    assert finished([*over, cut_off, waits, runs]) == over


@pytest.mark.parametrize("missing", ["config", "seed", "attempt", "number"])
def test_an_asked_trial_is_ours_once_all_of_it_is_written(missing: str) -> None:
    whole = trial()
    assert booked(whole)
    least = {key: whole.user_attrs[key] for key in ("number", "attempt", "seed", "config")}
    assert booked(create_trial(state=TrialState.RUNNING, user_attrs=least))
    attrs = {key: value for key, value in whole.user_attrs.items() if key != missing}
    assert not booked(create_trial(state=TrialState.RUNNING, user_attrs=attrs))


def test_epochs_come_in_the_order_of_their_numbers() -> None:
    assert [report.epoch for report in epochs_of(trial(epochs=11))] == list(range(1, 12))
    assert [report.value for report in epochs_of(trial(epochs=2))] == [0.01, 0.02]


def test_a_row_sums_the_seconds_of_all_epochs() -> None:
    row = trial_row("gru", trial(4, epochs=3))
    assert (row.id, row.family, row.number) == ("gru-0004", "gru", 4)
    assert (row.fit_seconds, row.evaluate_seconds) == (6.0, 1.5)
    assert (row.config, row.seed, len(row.epochs)) == ({"x": 0.5}, 7, 3)
    assert row.started <= row.ended
    assert row.started.utcoffset() == row.ended.utcoffset()
    assert not row.lower_is_better


def test_a_row_says_how_a_trial_ended_and_why_if_before_its_time() -> None:
    def end(*args: Any, **attrs: Any) -> tuple[str, str | None]:
        row = trial_row("gru", trial(0, *args, **attrs))
        return row.state, row.reason

    assert end(COMPLETE) == ("complete", None)
    stopped = "stopped after epoch 2: unlikely to end as its family's best"
    assert end(PRUNED) == ("pruned", stopped)
    assert end(PRUNED, reason="a reason") == ("pruned", "a reason")
    assert end(FAIL, reason="diverged: nan") == ("failed", "diverged: nan")


def test_only_a_stopped_trial_can_have_been_refused() -> None:
    assert is_refused(trial(0, PRUNED, refused={"parameters": 100}))
    assert not is_refused(trial(0, PRUNED))
    assert not is_refused(trial(0, FAIL, refused={"parameters": 100}))
    refused = trial(0, PRUNED, 0, refused={"parameters": 100}, measured={"parameters": 150})
    row = trial_row("gru", refused)
    assert row.state == "refused"
    assert str(row.reason).startswith("outside of limits: ")


def test_rows_are_by_family_as_given_and_by_our_own_numbers() -> None:
    """Optuna's numbers count what was cut off, too."""
    cut_off = trial(1, FAIL, reason="interrupted")
    b = study_with("b", trial(2), cut_off, trial(0), trial(1), direction="minimize")
    rows = trial_rows([b, study_with("a", trial(0))])
    assert [row.id for row in rows] == ["b-0000", "b-0001", "b-0002", "a-0000"]
    assert [row.lower_is_better for row in rows] == [True, True, True, False]


def test_a_finished_trial_that_lost_a_line_is_told_and_one_that_was_cut_off_may_lack_all() -> None:
    cut_off = create_trial(state=FAIL, user_attrs={"reason": "interrupted"})
    check_trials(study_with("gru", trial(0), cut_off))
    lost = create_trial(value=0.5, user_attrs={"number": 1, "seed": 7})
    with pytest.raises(BadInput, match=r"gru: trial 1 of the journal optuna\.log is not whole"):
        check_trials(study_with("gru", trial(0), lost))
