"""`search.goals`: the front of score against a cost is searched."""

import math
from pathlib import Path
from random import Random
from typing import Any

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from simulated import rows, sweep
from sweeps import FAMILIES, lower, spaces_of, study_of

from recsweep.config.schema import Experiment
from recsweep.records.study import TrialRow
from recsweep.search.goals import Both, may_lie_on_front
from recsweep.search.replay import replay
from recsweep.search.sampler import trial_sampler
from recsweep.search.seen import seeing


def study(**changes: Any) -> Experiment:
    goals = {"goals": ["score", "parameters"]}
    return study_of("a", "floor", **{"trials": 16, "search": goals, **changes})


@pytest.mark.parametrize(("name", "less_is_better"), [("tpe", False), ("tpe", True), ("gp", False)])
def test_the_sampler_proposes_what_it_proposes_in_optuna_s_own_study_of_two_objectives(
    tmp_path: Path, name: str, less_is_better: bool
) -> None:
    space = spaces_of(tmp_path, "a")["a"]
    direction = StudyDirection.MINIMIZE if less_is_better else StudyDirection.MAXIMIZE
    asked = study(search={"sampler": name, "goals": ["score", "parameters"]})
    shown = seeing(
        trial_sampler(asked, "a", space, 0), space, (), less_is_better, cost="parameters"
    )
    ours = optuna.create_study(direction=direction, sampler=shown)
    theirs = optuna.create_study(
        directions=[direction, StudyDirection.MINIMIZE], sampler=trial_sampler(asked, "a", space, 0)
    )
    for x in (0.1, 0.9, 0.35, 0.3, 0.8, 0.5, 0.55, 0.25, 0.6):
        for one in (ours, theirs):
            one.enqueue_trial({"x": x})
            trial = one.ask()
            score, cost = (trial.suggest_float("x", 0, 1) - 0.3) ** 2, 1 + round(1000 * x)
            if one is theirs:
                one.tell(trial, [score, math.log(cost)])
                continue
            trial.set_user_attr("epoch 1", {"metrics": {}, "losses": [], "parameters": cost})
            trial.report(score, 1)
            one.tell(trial, score)
    proposed = [one.ask().suggest_float("x", 0, 1) for one in (ours, theirs)]
    assert proposed[0] == proposed[1]


def trial(
    state: TrialState, *curve: float, parameters: int | None = None, value: float | None = None
) -> FrozenTrial:
    epochs: dict[str, Any] = {
        f"epoch {n}": {"metrics": {}, "losses": [], "parameters": parameters}
        for n in range(1, len(curve) + 1)
    }
    return create_trial(
        state=state,
        value=value,
        user_attrs=epochs,
        intermediate_values=dict(enumerate(curve, 1)),
    )


def complete(*curve: float, parameters: int | None = None) -> FrozenTrial:
    return trial(TrialState.COMPLETE, *curve, parameters=parameters, value=max(curve))


def test_a_complete_trial_has_two_values_and_what_lacks_one_stands_behind_as_stopped() -> None:
    study = Both(optuna.create_study(direction="maximize"), "parameters")
    known, free, unknown = (
        complete(0.1, 0.3, 0.2, parameters=parameters) for parameters in (100, 0, None)
    )
    stopped = trial(TrialState.PRUNED, 0.1, parameters=100)
    running, failed = trial(TrialState.RUNNING, 0.1), trial(TrialState.FAIL, 0.1)
    shown = study.shown([known, free, unknown, stopped, running, failed])
    assert [each.values for each in shown[:2]] == [[0.3, math.log(100)], [0.3, math.log(1e-12)]]
    assert [each.state for each in shown[:2]] == [TrialState.COMPLETE] * 2
    assert shown[0].intermediate_values == {1: 0.1, 2: 0.3, 3: 0.2}
    for behind in shown[2:4]:
        assert (behind.state, behind.values, behind.intermediate_values) == (
            TrialState.PRUNED,
            None,
            {},
        )
    assert shown[4] is running
    assert shown[5] is failed
    assert (known.values, unknown.state) == ([0.3], TrialState.COMPLETE)  # the journal's own stay
    assert study._is_multi_objective() is True
    assert [each.name for each in study.directions] == ["MAXIMIZE", "MINIMIZE"]


@pytest.mark.parametrize(
    ("other", "may"),
    [
        (complete(0.1, 0.31, parameters=100), False),
        (complete(0.1, 0.31, parameters=99), False),
        (complete(0.31, 0.1, parameters=99), False),  # what it had reached counts
        (complete(0.1, 0.3, parameters=99), True),  # no better by this epoch
        (complete(0.1, 0.2, 0.9, parameters=99), True),  # better later
        (complete(0.1, 0.9, parameters=101), True),
        (complete(0.1, 0.9), True),  # nobody knows what it costs
        (trial(TrialState.PRUNED, 0.1, 0.9, parameters=99), True),
        (trial(TrialState.COMPLETE, value=0.9, parameters=99), True),  # its curve is lost
    ],
)
def test_who_is_no_better_and_no_cheaper_than_a_complete_trial_cant_lie_on_the_front(
    other: FrozenTrial, may: bool
) -> None:
    mine = trial(TrialState.RUNNING, 0.3, 0.2, parameters=100)
    turned = trial(TrialState.RUNNING, -0.3, -0.2, parameters=100)
    assert may_lie_on_front(mine, [other], "parameters", lambda value: value) == may
    curve = {epoch: -value for epoch, value in other.intermediate_values.items()}
    other.intermediate_values = curve
    assert may_lie_on_front(turned, [other], "parameters", lambda value: -value) == may


def test_whose_cost_is_unknown_and_who_has_no_rival_may_lie_on_the_front() -> None:
    best = complete(0.9, 0.9, parameters=1)
    unknown = trial(TrialState.RUNNING, 0.3, 0.2)
    assert may_lie_on_front(unknown, [best], "parameters", lambda value: value)
    known = trial(TrialState.RUNNING, 0.3, 0.2, parameters=100)
    assert may_lie_on_front(known, [], "parameters", lambda value: value)
    rivals = [complete(0.1, 0.1, parameters=1), best]  # one of them is enough
    assert not may_lie_on_front(known, rivals, "parameters", lambda value: value)


def test_a_complete_trial_whose_first_epochs_are_lost_is_no_rival() -> None:
    rival = complete(0.1, 0.2, 0.9, parameters=1)
    rival.intermediate_values = {3: 0.9}
    mine = trial(TrialState.RUNNING, 0.3, 0.2, parameters=100)
    assert may_lie_on_front(mine, [rival], "parameters", lambda value: value)


def test_a_cost_is_that_of_all_epochs_so_far() -> None:
    """Seconds of an epoch are those of fitting, by the mean."""

    def timed(state: TrialState, value: float, *seconds: float) -> FrozenTrial:
        found = trial(state, *[value] * len(seconds), value=value if state.is_finished() else None)
        attrs = {
            f"epoch {n}": {"metrics": {}, "losses": [], "fit_seconds": s}
            for n, s in enumerate(seconds, 1)
        }
        found.user_attrs = attrs
        return found

    mine = timed(TrialState.RUNNING, 0.2, 1.0, 3.0)
    for seconds, may in (((2.0, 2.0, 2.0), False), ((1.0, 4.0, 1.5), True)):
        rival = timed(TrialState.COMPLETE, 0.3, *seconds)
        assert may_lie_on_front(mine, [rival], "seconds_per_epoch", lambda v: v) == may


def beaten(row: TrialRow, others: list[TrialRow], sign: int) -> bool:
    """By a complete one with no more parameters, which was better by the same epoch."""
    epochs = len(row.epochs)

    def best(of: TrialRow) -> float:
        return max(sign * epoch.value for epoch in of.epochs[:epochs])

    return any(
        other.state == "complete"
        and best(other) > best(row)
        and (other.epochs[0].parameters or 0) <= (row.epochs[0].parameters or 0)
        for other in others
    )


@pytest.mark.parametrize(("repeatable", "less_is_better"), [(False, False), (True, True)])
def test_nobody_is_stopped_who_may_lie_on_the_front(
    tmp_path: Path, repeatable: bool, less_is_better: bool
) -> None:
    for goals in (None, ["score", "parameters"]):
        experiment = study(repeatable=repeatable, search={"goals": goals})
        experiment = lower(experiment) if less_is_better else experiment
        folder, sign = tmp_path / str(goals), -1 if less_is_better else 1
        sweep(folder, experiment, 3, Random(0))
        found = [row for row in rows(folder, experiment) if row.family == "a"]
        stopped = [row for row in found if row.state == "pruned"]
        unfair = sum(not beaten(row, found, sign) for row in stopped)
        assert len(found) == 16
        assert stopped
        assert (unfair > 0) == (goals is None)


def test_a_repeatable_search_is_the_same_whatever_happens_and_every_search_can_be_replayed(
    tmp_path: Path,
) -> None:
    experiment = study(trials=10, repeatable=True, limits={"parameters": 800})
    sweep(tmp_path / "one", experiment, 1, Random(0))
    sweep(tmp_path / "four", experiment, 4, Random(1), deaths=3)
    assert rows(tmp_path / "four", experiment) == rows(tmp_path / "one", experiment)
    sweep(tmp_path / "default", study(trials=10), 3, Random(2), deaths=3)
    for name in ("one", "four", "default"):
        found = replay(tmp_path / name, FAMILIES)
        assert (found.difference, found.ends >= 11) == (None, True)
