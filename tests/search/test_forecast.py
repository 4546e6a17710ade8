from random import Random

import pytest

from recsweep.config.schema import Stopping
from recsweep.search.forecast import Forecast

RULE = Stopping(rule="forecast", grace_epochs=1)
EPOCHS = 8


def curve(start: float, end: float, decay: float = 0.5) -> list[float]:
    """From `start` towards `end`: each epoch leaves `decay` of the way that was left."""
    return [end - (end - start) * decay**n for n in range(EPOCHS)]


class Family:
    """Trials one after the other."""

    def __init__(self, trials: int | None = None, *, lower_is_better: bool = False) -> None:
        self.rule = Forecast(RULE, EPOCHS, trials, lower_is_better)

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
    family = Family(trials=100)
    assert family.run("first", [0.1] * EPOCHS) == EPOCHS
    assert family.run("best", [0.2 - n / 100 for n in range(EPOCHS)]) == EPOCHS


def test_nobody_is_stopped_before_the_grace_epoch() -> None:
    family = Family()
    family.rule = Forecast(RULE.model_copy(update={"grace_epochs": 4}), EPOCHS, None, False)
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


def test_more_time_and_more_trials_to_come_ask_for_more() -> None:
    assert stopped(Family(trials=40)) < stopped(Family(trials=11))
    assert stopped(Family(trials=11), seconds=5.0) < stopped(Family(trials=11), seconds=0.2)


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
