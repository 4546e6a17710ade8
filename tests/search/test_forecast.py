from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsweep.config.schema import Stopping
from recsweep.search.forecast import Forecast

RULE = Stopping(rule="forecast")
EPOCHS = 8
SCORES = st.floats(0.002, 1.0)


def curve(start: float, end: float, decay: float = 0.5) -> list[float]:
    """From `start` towards `end`: each epoch leaves `decay` of the way that was left."""
    return [end - (end - start) * decay**n for n in range(EPOCHS)]


class Family:
    """Trials one after the other."""

    def __init__(self, stopping: Stopping = RULE, *, lower_is_better: bool = False) -> None:
        self.rule = Forecast(stopping, EPOCHS, lower_is_better)

    def run(self, trial: str, values: list[float], seconds: float = 1.0) -> int:
        """Epochs after which it is stopped, or all."""
        for epoch, value in enumerate(values, 1):
            if not self.rule.hear(trial, epoch, value, seconds):
                self.rule.ended(trial, complete=False)
                return epoch
        self.rule.ended(trial, complete=True)
        return len(values)


def test_what_starts_low_and_slowly_is_stopped_and_what_overtakes_is_not() -> None:
    family = Family()
    for n in range(3):
        assert family.run(f"usual-{n}", curve(0.1, 0.2 + n / 100)) == EPOCHS
    assert family.run("hopeless", curve(0.02, 0.05)) <= 2
    assert family.run("late", curve(0.08, 0.3, 0.6)) == EPOCHS


def test_the_best_so_far_and_a_first_trial_are_never_stopped() -> None:
    family = Family()
    assert family.run("first", [0.1] * EPOCHS) == EPOCHS
    assert family.run("best", [0.2 - n / 100 for n in range(EPOCHS)]) == EPOCHS


def test_what_a_failed_trial_had_reached_stops_nobody() -> None:
    family = Family()
    family.rule.hear("fails", 1, 0.3, 1.0)
    family.rule.ended("fails", complete=False)
    assert family.run("alone", [0.01] * EPOCHS) == EPOCHS


def test_nobody_is_stopped_before_the_grace_epoch() -> None:
    family = Family(RULE.model_copy(update={"grace_epochs": 4}))
    family.run("best", curve(0.1, 0.3))
    assert family.run("hopeless", [0.01] * EPOCHS) == 4


def stopped(family: Family, seconds: float = 1.0) -> float:
    """Epochs of ten that are a little behind, on average."""
    random = Random(1)
    family.run("best", curve(0.1, 0.3))
    found = [
        family.run(f"trial-{n}", curve(0.1, 0.27 + random.uniform(-0.02, 0.02)), seconds)
        for n in range(10)
    ]
    return sum(found) / 10


def test_more_time_asks_for_more() -> None:
    assert stopped(Family(), seconds=5.0) < stopped(Family(), seconds=0.2)


def test_of_two_at_the_same_place_the_one_that_rises_goes_on() -> None:
    went_on = []
    for values in ((0.16, 0.16, 0.16), (0.1, 0.13, 0.16)):
        family = Family(RULE.model_copy(update={"grace_epochs": 3}))
        for n in range(3):
            family.run(f"usual-{n}", curve(0.1, 0.2))
        went_on.append([family.rule.hear("trial", n, v, 1.0) for n, v in enumerate(values, 1)][-1])
    assert went_on == [False, True]


@settings(max_examples=25)
@given(st.lists(st.lists(SCORES, min_size=EPOCHS, max_size=EPOCHS), min_size=2, max_size=5))
def test_whatever_the_curves_the_best_so_far_goes_on_and_a_lone_trial_too(
    curves: list[list[float]],
) -> None:
    rule, best = Forecast(RULE, EPOCHS, False), 0.0
    for number, values in enumerate(curves):
        for epoch, value in enumerate(values, 1):
            best = max(best, value)
            goes_on = rule.hear(f"trial-{number}", epoch, value, 1.0)
            assert goes_on or not (number == 0 or max(values[:epoch]) >= best)
            if not goes_on:
                break
        rule.ended(f"trial-{number}", complete=goes_on)


@settings(max_examples=10)
@given(st.floats(0.5, 4.0))
def test_the_unit_of_a_score_is_no_matter(factor: float) -> None:
    curves = {"best": curve(0.1, 0.2), "late": curve(0.06, 0.2, 0.7), "low": curve(0.05, 0.12)}

    def ends(unit: float) -> list[int]:
        family = Family()
        return [family.run(name, [unit * v for v in values]) for name, values in curves.items()]

    assert ends(factor) == ends(1.0)


def test_where_less_is_better_a_higher_curve_is_stopped() -> None:
    family = Family(lower_is_better=True)
    family.run("best", curve(0.7, 0.3))
    assert family.run("worse", curve(1.4, 1.2)) <= 3
    assert family.run("better", curve(0.7, 0.29)) == EPOCHS


def test_the_same_reports_are_answered_the_same() -> None:
    assert stopped(Family()) == stopped(Family())


@pytest.mark.parametrize("values", [[0.0] * EPOCHS, [-0.1, 0.0, 0.1, -0.2] * 2])
def test_scores_of_nothing_and_below_are_no_matter(values: list[float]) -> None:
    family = Family()
    family.run("nothing", values)
    assert family.run("something", curve(0.1, 0.3)) == EPOCHS
    assert family.run("nothing again", values) < EPOCHS
