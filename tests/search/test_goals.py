"""`search.goals`: the front of score against a cost is searched."""

import math
from pathlib import Path
from random import Random
from typing import Any

import optuna
import pytest
from optuna.study import StudyDirection
from simulated import rows, sweep
from sweeps import FAMILIES, lower, spaces_of, study_of

from recsweep.config.schema import Experiment
from recsweep.records.study import TrialRow
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
