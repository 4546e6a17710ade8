"""False alarms as often as asked for, and a doubled share found soon."""

import math

import numpy as np
import pytest

from recsweep.evaluation import control_chart
from recsweep.evaluation.control_chart import (
    Chart,
    fit_chart,
    increments,
    raised_share,
    smoothed,
    watch,
)

REFERENCE, MONTHS, PERIODS = 28, 1000, 40


@pytest.mark.parametrize(("texts", "share", "alarms"), [(100, 0.1, 0.5), (200, 0.2, 0.1)])
def test_quiet_months_give_no_more_false_alarms_than_asked_for_and_a_doubling_is_found(
    texts: int, share: float, alarms: float
) -> None:
    random = np.random.default_rng(1)
    warned, found, days = 0, 0, 30 * MONTHS // PERIODS
    for period in range(PERIODS):  # each with a reference period of its own
        of = 1 + random.poisson(texts, REFERENCE)
        chart = fit_chart(random.binomial(of, share), of, alarms, seed=period)
        of = 1 + random.poisson(texts, days)
        warned += int(watch(chart, random.binomial(of, share), of).warns.sum())
        for _ in range(20):
            of = 1 + random.poisson(texts, 3)
            found += bool(watch(chart, random.binomial(of, 2 * share), of).warns.any())
    assert warned <= alarms * MONTHS + 3 * np.sqrt(alarms * MONTHS)
    assert warned > alarms * MONTHS / 5  # few of 40 reference periods give most of them
    assert found >= 0.9 * 20 * PERIODS
    assert abs(chart.power - found / (20 * PERIODS)) < 0.08


def test_the_sum_is_that_of_log_likelihood_ratios_and_starts_again_after_a_warning() -> None:
    chart = Chart(usual=0.1, threshold=2.0, dispersion=1.0, power=1.0)
    counted, of = np.array([1, 3, 3, 0, 3]), np.array([10, 10, 10, 10, 10])
    total, sums, warns = 0.0, [], []
    for k, n in zip(counted, of, strict=True):
        total = max(0.0, total + k * np.log(0.2 / 0.1) + (n - k) * np.log(0.8 / 0.9))
        sums.append(total)
        warns.append(bool(total > 2.0))
        total = 0.0 if warns[-1] else total
    found = watch(chart, counted, of)
    np.testing.assert_allclose(found.sums, sums, rtol=1e-12)
    assert found.warns.tolist() == warns
    assert warns == [False, False, True, False, False]
    assert found.since.tolist()[:3] == [0, 1, 1]


def test_a_share_is_smoothed_by_half_a_text_on_either_side() -> None:
    of = np.array([0, 1, 10])
    np.testing.assert_allclose(smoothed(np.array([0, 1, 10]), of), [0.5, 0.75, 10.5 / 11])
    np.testing.assert_allclose(smoothed(of // 2, of), [0.5, 0.25, 0.5])


def test_a_share_is_doubled_but_not_beyond_half_of_the_way_to_all() -> None:
    np.testing.assert_allclose(raised_share(np.array([0.1, 0.4, 0.9])), [0.2, 0.7, 0.95])


def test_a_day_without_texts_adds_nothing() -> None:
    chart = Chart(usual=0.1, threshold=2.0, dispersion=1.0, power=1.0)
    found = watch(chart, np.array([3, 0, 3]), np.array([10, 0, 10]))
    assert found.sums[1] == found.sums[0] > 0


def test_days_since_when_are_those_on_which_the_sum_left_nothing() -> None:
    """A warning's day is not the first of the next rise, and a sum that falls to 0 ends one."""
    chart = Chart(usual=0.1, threshold=2.0, dispersion=1.0, power=1.0)
    counted = np.array([3, 3, 1, 0, 3, 0, 0, 3, 3, 3])
    found = watch(chart, counted, np.full(10, 10))
    assert np.flatnonzero(found.warns).tolist() == [1, 8]
    assert found.sums[[2, 3, 6]].tolist() == [0, 0, 0]
    assert found.sums[5] > 0
    assert found.since.tolist() == [0, 0, 2, 3, 4, 4, 6, 7, 7, 9]


def test_dispersion_is_the_chi_square_of_the_daily_counts_over_its_freedom() -> None:
    """Of a table of days by yes and no, with the share smoothed."""
    counted, of = np.array([4, 9, 2, 7]), np.array([30, 50, 20, 40])
    usual = (22 + 0.5) / (140 + 1)
    squares = sum(
        (k - n * usual) ** 2 / (n * usual) + ((n - k) - n * (1 - usual)) ** 2 / (n * (1 - usual))
        for k, n in zip(counted, of, strict=True)
    )
    found = fit_chart(counted, of, 0.5)
    assert found.usual == pytest.approx(usual)
    assert found.dispersion == pytest.approx(squares / 3)
    assert fit_chart(counted[:1], of[:1], 0.5).dispersion < np.inf  # a day alone has no freedom


def test_a_reference_period_that_varies_more_than_chance_is_told() -> None:
    of = np.full(28, 100)
    assert fit_chart(np.tile([0, 20], 14), of, 0.5).dispersion > 5
    assert fit_chart(np.random.default_rng(0).binomial(100, 0.1, 28), of, 0.5).dispersion < 2


def sums_of(steps: list[float], threshold: float) -> tuple[list[float], int]:
    """W of each day, and how often it warns."""
    total, sums, n = 0.0, [], 0
    for step in steps:
        total = max(0.0, total + step)
        sums.append(total)
        if total > threshold:
            total, n = 0.0, n + 1
    return sums, n


def step_of(counted: int, of: int, usual: float) -> float:
    raised = min(2 * usual, (1 + usual) / 2)
    more, less = math.log(raised / usual), math.log((1 - raised) / (1 - usual))
    return counted * more + (of - counted) * less


@pytest.mark.parametrize("alarms", [0.3, 3.0])
def test_a_threshold_is_bisected_on_simulated_runs_and_its_power_told_by_others(
    alarms: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same draws, day by day and run by run."""
    runs, days = 30, 60
    monkeypatch.setattr(control_chart, "RUNS", runs)
    monkeypatch.setattr(control_chart, "DAYS", days)
    counted, of = np.array([4, 9, 2, 7]), np.array([30, 50, 20, 40])
    found = fit_chart(counted, of, alarms, seed=3)
    random = np.random.default_rng(3)
    usual = 22.5 / 141
    estimated = (random.binomial(140, usual, runs) + 0.5) / 141
    volumes = random.choice(of, (days, runs))
    drawn = random.binomial(volumes, usual)
    steps = [
        [step_of(drawn[d, r], volumes[d, r], estimated[r]) for d in range(days)]
        for r in range(runs)
    ]
    low, high = 0.0, 40.0
    for _ in range(14):
        middle = (low + high) / 2
        warned = sum(sums_of(each, middle)[1] for each in steps)
        if warned > alarms * days / 30 * runs:
            low = middle
        else:
            high = middle
    assert found.threshold == pytest.approx(high, abs=1e-12)
    raised = random.binomial(volumes[:3], 2 * usual)
    soon = [
        max(sums_of([step_of(raised[d, r], volumes[d, r], estimated[r]) for d in range(3)], 99)[0])
        for r in range(runs)
    ]
    assert found.power == pytest.approx(sum(each > high for each in soon) / runs)
    assert 0 < found.power < 1


def test_what_a_day_adds_is_the_log_likelihood_ratio_of_a_raised_share() -> None:
    counted, of, usual = np.array([0, 3, 10]), np.array([10, 10, 10]), np.array(0.6)
    expected = [step_of(int(k), int(n), 0.6) for k, n in zip(counted, of, strict=True)]
    np.testing.assert_allclose(increments(counted, of, usual), expected)


def test_a_sum_at_the_threshold_does_not_warn_yet() -> None:
    rise = step_of(5, 10, 0.1)
    for threshold, warns in ((rise, False), (np.nextafter(rise, 0), True)):
        chart = Chart(usual=0.1, threshold=threshold, dispersion=1.0, power=1.0)
        assert watch(chart, np.array([5]), np.array([10])).warns.tolist() == [warns]
