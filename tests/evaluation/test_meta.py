import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from recsweep.evaluation.meta import pool


def test_the_bcg_vaccine_trials_give_the_published_numbers() -> None:
    # Colditz et al. 1994, log relative risks of 13 trials, as in R's metafor (dat.bcg, method DL):
    # mean -0.7141, tau^2 0.3088, I^2 92.12%.
    y = [-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120, -0.4694, -1.3713]
    y += [-0.3394, 0.4459, -0.0173]
    v = [0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040, 0.0564, 0.0730, 0.0124]
    v += [0.5325, 0.0714]
    found = pool(y, np.sqrt(v).tolist())
    assert found.difference == pytest.approx(-0.7141, abs=0.001)
    assert found.tau**2 == pytest.approx(0.3088, abs=0.001)
    assert found.heterogeneity == pytest.approx(0.9212, abs=0.001)
    # Knapp & Hartung 2003: the spread around the mean, where it is more than the errors say.
    weight = 1 / (np.array(v) + found.tau**2)
    around = (weight * (np.array(y) - found.difference) ** 2).sum() / (13 - 1)
    assert around > 1
    half = stats.t.isf(0.025, 12) * np.sqrt(around / weight.sum())
    assert found.upper - found.difference == pytest.approx(half)
    assert found.next_log is not None
    assert found.next_log[0] < found.lower < found.upper < found.next_log[1]


def test_logs_with_equal_errors_that_differ_are_a_t_test_over_logs() -> None:
    y = [0.01, 0.05, -0.02, 0.03]
    found = pool(y, [0.001] * 4)
    reference = stats.ttest_1samp(y, 0)
    interval = reference.confidence_interval(0.95)
    assert found.difference == pytest.approx(np.mean(y))
    # tau^2 is all of the spread but the errors' tiny part, so nothing is inflated.
    assert (found.lower, found.upper) == pytest.approx((interval.low, interval.high), rel=0.01)
    assert found.p == pytest.approx(reference.pvalue, rel=0.01)


def test_logs_that_agree_too_well_are_not_trusted_beyond_their_own_errors() -> None:
    found = pool([0.02, 0.02, 0.02], [0.01, 0.01, 0.01])
    half = stats.t.isf(0.025, 2) * 0.01 / np.sqrt(3)
    assert (found.tau, found.heterogeneity) == (0, 0)
    assert found.upper - found.difference == pytest.approx(half)


def test_two_logs_have_a_wide_interval_and_no_prediction() -> None:
    found = pool([0.02, 0.03], [0.005, 0.005])
    assert found.lower < 0 < found.upper
    assert found.next_log is None


def test_another_log_is_expected_within_the_spread_of_logs_and_the_means_error() -> None:
    found = pool([0.02, 0.03, 0.06], [0.005] * 3)  # Higgins, Thompson & Spiegelhalter 2009, eq. 12
    error = (found.upper - found.difference) / stats.t.ppf(0.975, 2)
    reach = stats.t.ppf(0.975, 1) * np.hypot(found.tau, error)
    assert found.next_log == pytest.approx((found.difference - reach, found.difference + reach))


@given(
    st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 1)), min_size=2, max_size=8),
    st.floats(-1, 1),
)
def test_a_shift_of_every_log_shifts_the_mean_and_turning_signs_turns_it(
    logs: list[tuple[float, float]], shift: float
) -> None:
    y, errors = (list(part) for part in zip(*logs, strict=True))
    found, moved = pool(y, errors), pool([v + shift for v in y], errors)
    assert moved.difference == pytest.approx(found.difference + shift, abs=1e-9)
    assert moved.tau == pytest.approx(found.tau, abs=1e-6)
    turned = pool([-v for v in y], errors)
    assert (turned.lower, turned.upper) == pytest.approx((-found.upper, -found.lower))
    assert min(y) - 1e-9 <= found.difference <= max(y) + 1e-9


@pytest.mark.parametrize("logs", [2, 3, 6])
@pytest.mark.parametrize("tau", [0.0, 0.02])
def test_the_interval_holds_the_truth_in_95_of_100_worlds(logs: int, tau: float) -> None:
    random, held = np.random.default_rng(logs), 0
    for _ in range(400):
        errors = random.uniform(0.005, 0.02, logs)
        y = 0.03 + random.normal(0, tau, logs) + random.normal(0, errors)
        found = pool(y.tolist(), errors.tolist())
        held += found.lower <= 0.03 <= found.upper
    assert held >= 366  # the 0.5% point of 400 at 94%: few logs make it conservative, never less


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_a_mean_over_logs_is_that_of_its_formulas_by_plain_loops(level: float) -> None:
    """DerSimonian & Laird 1986, eq. 8; Hartung & Knapp 2001, eq. 5; Higgins et al. 2009, eq. 12."""
    y, errors = [0.01, 0.05, -0.02, 0.06], [0.01, 0.02, 0.015, 0.03]
    w = [1 / e**2 for e in errors]
    fixed = sum(a * b for a, b in zip(w, y, strict=True)) / sum(w)
    q = sum(a * (b - fixed) ** 2 for a, b in zip(w, y, strict=True))
    tau2 = max(0, (q - 3) / (sum(w) - sum(a**2 for a in w) / sum(w)))
    assert tau2 > 0
    w = [1 / (e**2 + tau2) for e in errors]
    mean = sum(a * b for a, b in zip(w, y, strict=True)) / sum(w)
    around = sum(a * (b - mean) ** 2 for a, b in zip(w, y, strict=True)) / 3
    error = (max(1, around) / sum(w)) ** 0.5
    half = stats.t.isf((1 - level) / 2, 3) * error
    reach = stats.t.isf((1 - level) / 2, 2) * (tau2 + error**2) ** 0.5
    found = pool(y, errors, level)
    assert (found.difference, found.tau) == pytest.approx((mean, tau2**0.5))
    assert (found.lower, found.upper) == pytest.approx((mean - half, mean + half))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(mean) / error, 3))
    assert found.heterogeneity == pytest.approx(1 - 3 / q)
    assert found.next_log == pytest.approx((mean - reach, mean + reach))
