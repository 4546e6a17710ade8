import math
import zlib
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsweep.config.schema import Stopping
from recsweep.search.forecast import Forecast, drift

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


# -- the model, in numbers: a journal is replayed by the constants that it was written with ------


def heard(curves: Mapping[str, Sequence[float]], epochs: int, **changes: object) -> Forecast:
    """Trials whose scores have these logarithms."""
    rule = Forecast(RULE.model_copy(update=changes), epochs, False)
    for name, logs in curves.items():
        for epoch, value in enumerate(logs, 1):
            rule.hear(name, epoch, math.exp(value), 1.0)
    return rule


def test_gains_begin_with_what_is_expected_and_go_over_to_the_familys_own() -> None:
    assert heard({}, 4)._gains() == pytest.approx([0.25, 0.125, 0.0625])
    found = heard({"wild": [-2, -1.9, -0.2, -1.0], "begun": [-3, -2.8]}, 4)._gains()
    # What was expected counts for two trials; a gain for 1 at most, and a loss for 0.3.
    wanted = [(2 * 0.25 + 0.1 + 0.2) / 4, (2 * 0.125 + 1.0) / 3, (2 * 0.0625 - 0.3) / 3]
    assert found == pytest.approx(wanted)


def test_noise_is_what_curves_differ_by_from_straight_lines() -> None:
    even = heard({"one": [-3, -2.9, -2.8], "two": [-3, -2.9]}, 4)
    assert even._noise() == pytest.approx(0.03)  # of three epochs the only bend is the first one
    bent = heard({"bent": [-2, -1.9, -1.7, -1.6], "wild": [-2, -1.9, -0.2, -1.0]}, 4)
    assert bent._noise() == pytest.approx(math.sqrt((8 * 0.03**2 + 0.1**2 / 6 + 0.04) / 10))


def test_a_drift_is_a_sum_of_steps_each_of_which_resembles_its_neighbours() -> None:
    wanted = [
        [sum(0.04**2 * 0.6 ** abs(a - b) for a in range(i) for b in range(j)) for j in range(5)]
        for i in range(5)
    ]
    assert drift(5) == pytest.approx(np.array(wanted))


@pytest.mark.parametrize("seen", [1, 2, 4])
def test_later_epochs_are_drawn_as_a_normal_distribution_is_conditioned_on_earlier_ones(
    seen: int,
) -> None:
    curve_ = [-2.0, -1.9, -1.7, -1.75][:seen]
    rule = heard({"usual": [-2.5, -2.2, -2.1, -2.05, -2.0], "trial": curve_}, 5)
    gains, noise = rule._gains(), rule._noise()
    developed = np.array([0.0, *(sum(gains[:n]) for n in range(1, 5))])
    covariance = 1.0 + 0.6**2 * np.outer(developed, developed) + drift(5) + noise**2 * np.eye(5)
    expected = curve_[0] + developed
    # Bishop 2006, (2.81) and (2.82)
    gain = covariance[seen:, :seen] @ np.linalg.inv(covariance[:seen, :seen])
    mean = expected[seen:] + gain @ (curve_ - expected[:seen])
    left = covariance[seen:, seen:] - gain @ covariance[:seen, seen:]
    draws = np.random.default_rng(zlib.crc32(b"trial")).standard_normal((256, 5))
    later = mean + draws[:, : 5 - seen] @ np.linalg.cholesky(left).T
    best = [max(*row, *curve_) for row in later.tolist()]
    assert rule._draws("trial") == pytest.approx(best, abs=1e-9)


def test_a_curve_at_its_end_has_nothing_left_to_draw() -> None:
    rule = heard({"whole": [-2.0, -1.5, -1.8]}, 3)
    assert rule._draws("whole").tolist() == [-1.5] * 256


def test_scores_below_the_floor_are_all_alike() -> None:
    alike, other = [Forecast(RULE, 3, lower) for lower in (False, True)]
    for epoch, value in enumerate((-1.0, 0.0, 0.001), 1):
        alike.hear("trial", epoch, value, 1.0)
    other.hear("trial", 1, 0.5, 1.0)
    assert alike._trials["trial"].curve == [math.log(0.001)] * 3
    assert other._trials["trial"].curve == [math.log(2)]


class Drawn(Forecast):
    """With made-up draws in place of its own."""

    draws: Mapping[str, list[float]]

    def _draws(self, id_: str) -> Any:
        return np.array(self.draws[id_])


def judged(above: int, mine: float = 1.0, other: float = 1.0, **changes: object) -> bool:
    """Does a trial go on that ends above another one in so many of 100 draws, and is no better
    yet? Their last epochs took so many seconds.
    """
    rule = Drawn(RULE.model_copy(update={"grace_epochs": 2, **changes}), EPOCHS, False)
    rule.draws = {"other": [0.0] * 100, "trial": [1.0] * above + [0.0] * (100 - above)}
    for epoch in (1, 2):
        rule.hear("other", epoch, 0.5, other)
        went_on = rule.hear("trial", epoch, 0.4, mine)
    return went_on


def test_a_trial_goes_on_with_the_chance_that_is_asked_for_by_the_seconds_of_an_epoch() -> None:
    assert [judged(22), judged(23)] == [False, True]  # of as good a draw nothing is to be had
    assert [judged(49, chance=0.5), judged(50, chance=0.5)] == [False, True]
    # 3 s where 2 s are the mean ask for 1.5 times the chance, and 1 s for two thirds of it.
    assert [judged(34, 3.0, 1.0), judged(35, 3.0, 1.0)] == [False, True]
    assert [judged(11, 1.0, 3.0), judged(12, 1.0, 3.0)] == [False, True]
    assert [judged(22, 0.0, 0.0), judged(23, 0.0, 0.0)] == [False, True]  # nobody kept them


def test_a_trial_has_to_end_above_every_other_that_may_be_chosen() -> None:
    half, rest = [1.0] * 50 + [0.0] * 50, [0.0] * 50 + [1.0] * 50
    for stopped_one, goes_on in ((None, False), ("one", True)):
        rule = Drawn(RULE.model_copy(update={"grace_epochs": 1}), EPOCHS, False)
        rule.draws = {"one": half, "two": rest, "trial": [0.5] * 100}
        rule.hear("one", 1, 0.5, 1.0)
        rule.hear("two", 1, 0.5, 1.0)
        if stopped_one:
            rule.ended(stopped_one, complete=False)
        assert rule.hear("trial", 1, 0.4, 1.0) == goes_on


def test_a_complete_trial_is_worth_its_best_epoch_and_one_that_nobody_heard_of_nothing() -> None:
    rule = heard({"whole": [-2.0, -1.5, -1.8]}, 8)
    rule.ended("whole", complete=True)
    rule.ended("failed before its first epoch", complete=False)
    assert list(rule._trials) == ["whole"]
    final = rule._trials["whole"].final
    assert final is not None
    assert final.tolist() == [-1.5] * 256


def test_as_good_as_the_best_so_far_goes_on_whatever_is_forecast() -> None:
    found = []
    for value in (0.49, 0.5):
        rule = Drawn(RULE.model_copy(update={"grace_epochs": 1}), EPOCHS, False)
        rule.draws = {"other": [0.0] * 4, "trial": [-1.0] * 4}
        rule.hear("other", 1, 0.3, 1.0)
        rule.hear("other", 2, 0.5, 1.0)
        found.append(rule.hear("trial", 1, value, 1.0))
    assert found == [False, True]


def test_at_its_last_epoch_nobody_is_stopped() -> None:
    rule = Drawn(RULE.model_copy(update={"grace_epochs": 1}), 2, False)
    rule.draws = {"other": [0.0] * 4, "trial": [-1.0] * 4}
    rule.hear("other", 1, 0.5, 1.0)
    assert not rule.hear("trial", 1, 0.4, 1.0)
    assert rule.hear("trial", 2, 0.4, 1.0)
