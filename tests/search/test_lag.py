from types import SimpleNamespace

import pytest
from sweeps import study_of

from recsweep.config.schema import Stopping
from recsweep.search.lag import Lag
from recsweep.search.stopping import rungs

STOP, CONTINUE = "STOP", "CONTINUE"
RULE = Stopping(rule="lag", grace_epochs=2, lag=(0.5, 0.1))


class Family:
    """Reports by name."""

    def __init__(self, sign: float = 1.0) -> None:
        self.rule = Lag(RULE, sign)

    def report(self, trial: str, epoch: int, value: float) -> str:
        who = SimpleNamespace(trial_id=trial)
        if epoch == 1:
            self.rule.on_trial_add(None, who)
        return self.rule.on_trial_result(None, who, {"epoch": epoch, "value": value})

    def run(self, trial: str, *values: float) -> list[str]:
        return [self.report(trial, epoch, value) for epoch, value in enumerate(values, 1)]


def test_a_trial_that_lags_by_more_than_the_share_of_its_epoch_is_stopped() -> None:
    family = Family()
    assert family.run("best", 0.1, 0.2, 0.3, 0.4) == [CONTINUE] * 4
    assert family.run("slow", 0.05, 0.09) == [CONTINUE, STOP]
    assert family.run("half", 0.05, 0.11, 0.26) == [CONTINUE, CONTINUE, STOP]
    assert family.run("close", 0.05, 0.11, 0.28, 0.37) == [CONTINUE] * 4
    assert family.run("late", 0.05, 0.11, 0.28, 0.35) == [CONTINUE, CONTINUE, CONTINUE, STOP]


def test_a_trial_that_lags_by_exactly_the_share_goes_on() -> None:
    family = Family()
    family.run("best", 0.1, 0.5)
    assert family.run("half", 0.1, 0.25) == [CONTINUE, CONTINUE]


def test_nobody_is_stopped_before_the_grace_epoch() -> None:
    family = Family()
    family.run("best", 0.9, 0.9)
    assert family.run("slow", 0.0, 0.5) == [CONTINUE, CONTINUE]


def test_a_curve_that_turns_down_is_judged_by_its_best_so_far() -> None:
    family = Family()
    family.run("best", 0.1, 0.2, 0.3, 0.3)
    assert family.run("noisy", 0.1, 0.2, 0.3, 0.1) == [CONTINUE] * 4


def test_where_less_is_better_the_lag_is_above_the_lowest() -> None:
    family = Family(sign=-1.0)
    family.run("best", 0.5, 0.4, 0.3)
    assert family.run("close", 0.9, 0.5, 0.32) == [CONTINUE] * 3
    assert family.run("far", 0.9, 0.5, 0.34) == [CONTINUE, CONTINUE, STOP]


def test_a_trial_whose_worker_died_starts_from_nothing() -> None:
    family = Family()
    family.run("best", 0.1, 0.2, 0.3)
    family.run("again", 0.1, 0.2, 0.3)
    assert family.run("again", 0.1, 0.2, 0.2) == [CONTINUE, CONTINUE, STOP]


@pytest.mark.parametrize(("grace", "expected"), [(1, (1, 2, 3)), (3, (3,)), (4, ())])
def test_a_plan_names_every_epoch_at_which_a_trial_may_stop(
    grace: int, expected: tuple[int, ...]
) -> None:
    experiment = study_of("a", epochs=4, stopping={"rule": "lag", "grace_epochs": grace})
    assert rungs(experiment) == expected
