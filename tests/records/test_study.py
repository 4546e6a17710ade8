import json
from dataclasses import fields, replace

import pytest
from studies import NOW, study_with, trial_row
from worlds import experiment_of

from recsweep.records.study import SESSIONS, EarlyEnd, SweepSession, TrialRow
from recsweep.spaces.declared import DeclaredSpace


@pytest.mark.parametrize(("lower_is_better", "epoch", "value"), [(False, 2, 0.4), (True, 3, 0.1)])
def test_a_trials_score_is_its_best_epochs_of_equals_the_earliest(
    lower_is_better: bool, epoch: int, value: float
) -> None:
    trial = trial_row(0, (0.2, 0.4, 0.1, 0.4, 0.1), lower_is_better=lower_is_better)
    assert trial.best is not None
    assert (trial.best.epoch, trial.value) == (epoch, value)


def test_more_is_better_where_nobody_says_otherwise() -> None:
    known = trial_row(0, (0.2, 0.4, 0.1))
    told = {f.name: getattr(known, f.name) for f in fields(known) if f.name != "lower_is_better"}
    assert TrialRow(**told).value == 0.4


def test_a_trial_without_an_epoch_has_no_score_and_seconds_all_the_same() -> None:
    trial = trial_row(0, ())
    assert (trial.best, trial.value) == (None, None)
    assert trial.seconds == pytest.approx(10 + 1 / 3)


def test_efficiency_is_the_share_of_the_workers_time() -> None:
    session = SweepSession(NOW, 10.0, 1.5, 2, 18.0, 3)
    assert session.efficiency == pytest.approx(0.9)
    assert SESSIONS.validate_json(json.dumps(SESSIONS.dump_python((session,), mode="json"))) == (
        session,
    )


def test_a_familys_trials_keep_their_order_and_one_without_parameters_is_not_tuned() -> None:
    experiment = experiment_of(families={"gru": "gru.yaml", "popularity": "popularity.yaml"})
    trials = [trial_row(1, (0.1,)), trial_row(0, (0.2,), family="popularity"), trial_row(0, (0.3,))]
    study = study_with(*trials, experiment=experiment)
    assert study.trials_of("gru") == [trials[0], trials[2]]
    refused = replace(study, trials=(*study.trials, trial_row(2, (), state="refused")))
    assert refused.trials_of("gru") == [trials[0], trials[2]]
    assert study.tuned == []
    depth = {"int": [1, 3], "role": "scientific", "why": "capacity"}
    space = DeclaredSpace.model_validate({"family": "gru", "parameters": {"depth": depth}})
    assert replace(study, spaces={**study.spaces, "gru": space}).tuned == ["gru"]


def test_the_budget_of_trials_has_those_that_were_added_and_all_that_an_early_end_left() -> None:
    keys = {"families": {"gru": "gru.yaml"}, "budget": {"trials": 2}}
    depth = {"int": [1, 3], "role": "scientific", "why": "capacity"}
    space = DeclaredSpace.model_validate({"family": "gru", "parameters": {"depth": depth}})
    trials = [trial_row(n, (0.1,)) for n in range(3)]

    def each(count: int, end: EarlyEnd | None = None, **changes: object) -> int | None:
        study = study_with(*trials[:count], experiment=experiment_of(**{**keys, **changes}))
        return replace(study, spaces={"gru": space}, early_end=end).trials_each

    assert (each(0), each(1), each(3)) == (2, 2, 3)
    assert each(1, EarlyEnd(1, 4)) == 4
    assert each(3, budget={"trials": None, "seconds": 5}) is None
