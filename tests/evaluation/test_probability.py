from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from recsweep.data.types import Float64, Int32
from recsweep.evaluation.estimate import estimate
from recsweep.evaluation.jackknife import pseudo_values
from recsweep.evaluation.probability import (
    Calibrator,
    best_threshold,
    calibrated,
    calibration_error,
    decisions,
    fit_calibrator,
    linearised_by_learner,
    log_losses,
    pooled_metrics,
    reliability,
    report_at_threshold,
    revenue,
    squared_errors,
    top_tenth,
)


def world(n: int = 600, seed: int = 0) -> tuple[Float64, np.ndarray, Int32]:
    """Probabilities that are too extreme, answers, and learners with a few examples each."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(2, 5, n)
    bought = rng.random(n) < truth
    odds = 2.5 * np.log(truth / (1 - truth))
    return 1 / (1 + np.exp(-odds)), bought, np.sort(rng.integers(0, n // 4, n)).astype(np.int32)


def test_means_are_those_of_scikit_learn() -> None:
    probability, bought, _ = world()
    probability[:2] = (0.0, 1.0)
    assert log_losses(probability, bought).mean() == pytest.approx(log_loss(bought, probability))
    expected = brier_score_loss(bought, probability)
    assert squared_errors(probability, bought).mean() == pytest.approx(expected)


def test_a_learners_share_leaves_the_mean_over_examples_as_it_is() -> None:
    probability, bought, _ = world()
    sequence = np.repeat(np.arange(20), np.arange(20) * 3 + 1)[: len(bought)].astype(np.int32)
    values = log_losses(probability[: len(sequence)], bought[: len(sequence)])
    assert linearised_by_learner(values, sequence).mean() == pytest.approx(values.mean())


def test_the_calibration_error_of_a_hand_computed_table() -> None:
    probability = np.repeat([0.1, 0.6], 10)
    bought = np.arange(20) % 10 < np.repeat([3, 5], 10)  # .3 and .5 of them
    assert calibration_error(probability, bought, bins=2) == pytest.approx((0.2 + 0.1) / 2)


def test_equal_probabilities_share_a_bin() -> None:
    bins = reliability(np.full(50, 0.2), np.arange(50) < 10)
    assert len(bins) == 1
    assert (bins[0].examples, bins[0].bought) == (50, 0.2)
    assert bins[0].predicted == pytest.approx(0.2)


@pytest.mark.parametrize("calibration", ["platt", "isotonic"])
def test_a_calibrator_mends_what_is_too_extreme(calibration: str) -> None:
    probability, bought, learner = world(3000)
    mended = calibrated(probability, bought, learner, calibration)  # type: ignore[arg-type]
    assert log_losses(mended, bought).mean() < log_losses(probability, bought).mean() - 0.01
    assert calibration_error(mended, bought) < calibration_error(probability, bought)


@pytest.mark.parametrize("calibration", ["platt", "isotonic"])
def test_no_calibrator_or_threshold_is_scored_on_what_it_was_fitted_on(calibration: str) -> None:
    """Turning a learner's own answers changes nothing about that learner's examples."""
    probability, bought, learner = world()
    own = learner == learner[0]
    turned = np.where(own, ~bought, bought)
    before = calibrated(probability, bought, learner, calibration)  # type: ignore[arg-type]
    after = calibrated(probability, turned, learner, calibration)  # type: ignore[arg-type]
    np.testing.assert_array_equal(before[own], after[own])
    assert not np.array_equal(before, after)
    taken, _ = decisions(probability, bought, learner)
    taken_after, _ = decisions(probability, turned, learner)
    np.testing.assert_array_equal(taken[own], taken_after[own])


def test_the_threshold_has_the_best_f1_of_all() -> None:
    probability, bought, _ = world()
    best = f1_score(bought, probability >= best_threshold(probability, bought))
    assert best >= max(f1_score(bought, probability >= t) for t in probability[:100])


def test_the_highest_probability_may_be_the_threshold() -> None:
    assert best_threshold(np.array([0.1, 0.5, 0.9]), np.array([False, False, True])) == 0.9


def test_where_nobody_bought_the_threshold_is_one_half() -> None:
    assert best_threshold(np.array([0.1, 0.9]), np.array([False, False])) == 0.5


def test_the_top_tenth_of_a_hand_computed_table() -> None:
    score = np.arange(20.0)
    assert top_tenth(score, np.where(score >= 18, 5.0, 1.0)) == 5.0
    assert top_tenth(np.arange(60.0), np.arange(60.0)) == 56.5
    # All equal: nobody is in the top tenth more than anybody else.
    assert top_tenth(np.zeros(20), np.arange(20.0)) == pytest.approx(9.5)


@pytest.mark.parametrize(("examples", "tenth"), [(4, 1), (14, 1), (16, 2), (50, 5)])
def test_a_tenth_is_rounded_and_at_least_one_example(examples: int, tenth: int) -> None:
    first = np.arange(examples) < tenth
    assert top_tenth(np.where(first, 1.0, 0.0), first.astype(float)) == 1
    assert top_tenth(np.arange(examples, 0.0, -1), first * 1.0 / tenth) == pytest.approx(1 / tenth)


def test_revenue_is_the_price_of_what_was_bought_where_most_was_expected() -> None:
    probability, bought = np.full(20, 0.1), np.ones(20, bool)
    price = np.array([*[3.0] * 17, 50.0, 70.0, np.nan])
    found = revenue(probability, bought, price)
    assert found == pytest.approx({"expected_revenue": 6.0, "revenue": 60.0})
    bought[18] = False
    assert revenue(probability, bought, price)["revenue"] == pytest.approx(25)


@given(st.integers(0, 1000))
def test_all_metrics_are_finite_and_in_their_range(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 60))
    probability, learner = rng.choice([0.0, 0.2, 0.5, 1.0], n), np.arange(n, dtype=np.int32)
    bought = rng.random(n) < 0.4
    bought[:2] = (False, True)
    found = pooled_metrics(probability, bought, learner, rng.choice([1.0, np.nan], n))
    assert all(np.isfinite(value) for value in found.values())
    for name in ("roc_auc", "pr_auc", "ece", "precision", "recall", "f1"):
        assert 0 <= found[name] <= 1


def test_the_report_is_of_the_decisions_that_the_metrics_are_of() -> None:
    probability, bought, learner = world()
    report = report_at_threshold(probability, bought, learner, ("no", "yes"))
    metrics = pooled_metrics(probability, bought, learner, None)
    assert report["yes"]["f1-score"] == pytest.approx(metrics["f1"])
    assert report["yes"]["support"] == bought.sum()


def areas(runs: np.ndarray, bought: np.ndarray) -> Callable[[np.ndarray], dict[str, Float64]]:
    return lambda at: {"auc": np.array([roc_auc_score(bought[at], run[at]) for run in runs])}


def test_pseudo_values_of_a_mean_are_the_means_of_the_groups() -> None:
    values = np.random.default_rng(0).normal(0, 1, (3, 400))
    learners = np.arange(400, dtype=np.int32)
    found = pseudo_values(lambda at: {"mean": values[:, at].mean(axis=1)}, learners)["mean"]
    group = np.random.default_rng(0).permutation(400) % 10
    expected = [values[:, group == g].mean(axis=1) for g in range(10)]
    assert found == pytest.approx(np.stack(expected, axis=1))


def test_pseudo_values_have_the_variance_of_the_delete_a_group_jackknife() -> None:
    probability, bought, learner = world()
    found = pseudo_values(areas(probability[None], bought), learner)["auc"][0]
    group = (np.random.default_rng(0).permutation(int(learner.max()) + 1) % 10)[learner]
    without = [roc_auc_score(bought[group != g], probability[group != g]) for g in range(10)]
    assert found.mean() == pytest.approx(roc_auc_score(bought, probability))
    jackknife = 9 / 10 * ((np.array(without) - np.mean(without)) ** 2).sum()
    assert found.var(ddof=1) / 10 == pytest.approx(jackknife)


def test_runs_that_differ_widen_the_interval_of_an_area() -> None:
    probability, bought, learner = world()
    noise = np.random.default_rng(1).normal(0, 1, 5)[:, None] * np.abs(probability - 0.5)
    same, others = np.tile(probability, (5, 1)), probability + noise

    def half(runs: np.ndarray) -> tuple[float, float]:
        table = pseudo_values(areas(runs, bought), learner)["auc"]
        _, lower, upper = estimate(table)
        return (upper - lower) / 2, table.mean(axis=1).std(ddof=1) / np.sqrt(5)

    (alone, none), (wider, of_seeds) = half(same), half(others)
    assert none == 0
    assert of_seeds > 0
    assert wider > np.hypot(alone, 2 * of_seeds) * 0.9


def test_learners_of_one_group_have_no_interval() -> None:
    found = pseudo_values(lambda at: {"mean": np.array([0.5])}, np.zeros(7, np.int32))["mean"]
    assert found.tolist() == [[0.5]]


def test_a_learners_part_is_the_derivative_of_the_mean_by_the_learners_weight() -> None:
    probability, bought, sequence = world(200, 3)
    sequence = np.unique(sequence, return_inverse=True)[1].astype(np.int32)
    values = log_losses(probability, bought)
    parts = linearised_by_learner(values, sequence)
    learners, step = len(parts), 1e-6
    for learner in range(learners):
        weight = np.where(sequence == learner, 1 + step, 1.0)
        moved = (weight * values).sum() / weight.sum()
        slope = (moved - values.mean()) / step  # the infinitesimal jackknife
        assert parts[learner] - values.mean() == pytest.approx(learners * slope, abs=1e-4)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=12), st.integers(0, 999))
def test_learners_parts_have_the_mean_over_examples_and_are_linear(
    counts: list[int], seed: int
) -> None:
    sequence = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    x, y = np.random.default_rng(seed).normal(size=(2, len(sequence)))
    of_x, of_y = (linearised_by_learner(v, sequence) for v in (x, y))
    assert of_x.mean() == pytest.approx(x.mean())
    assert linearised_by_learner(x - 2 * y, sequence) == pytest.approx(of_x - 2 * of_y)
    # With as many examples for each, a learner's part is the mean over its examples.
    even = np.repeat(np.arange(len(counts)), 3).astype(np.int32)
    z = np.random.default_rng(seed).normal(size=len(even))
    assert linearised_by_learner(z, even) == pytest.approx(z.reshape(-1, 3).mean(axis=1))


def test_a_gain_on_first_looks_alone_is_held_by_its_interval() -> None:
    held, sums_held = 0, 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        looks = random.geometric(0.2, 60)  # 5 in the mean, so a look gains .2 in truth
        sequence = np.repeat(np.arange(60), looks).astype(np.int32)
        first = np.r_[True, sequence[1:] != sequence[:-1]].astype(float)
        _, lower, upper = estimate(linearised_by_learner(first, sequence)[None])
        held += lower <= 0.2 <= upper
        # Sums over the mean number of looks take that number as fixed: here they are all the same.
        _, lower, upper = estimate((np.bincount(sequence, first) * 60 / len(first))[None])
        sums_held += lower <= 0.2 <= upper
    assert 180 <= held <= 198
    assert sums_held < 20


def test_examples_that_all_cost_the_same_leave_no_doubt_however_unequal_learners_are() -> None:
    sequence = np.repeat(np.arange(4), [1, 50, 3, 7]).astype(np.int32)
    assert linearised_by_learner(np.full(61, 0.4), sequence) == pytest.approx(np.full(4, 0.4))


def test_platt_moves_log_odds_on_a_line_and_isotonic_regression_finds_steps() -> None:
    """Learners of ten examples, so that a part is calibrated on the 40 of the others."""
    learner = np.repeat(np.arange(5), 10).astype(np.int32)
    probability = np.tile(np.linspace(0.05, 0.95, 10), 5)
    bought = probability > 0.5
    bought[[4, 5, 14, 15]] ^= True  # so that a line fits
    line = calibrated(probability, bought, learner, "platt").reshape(5, 10)
    odds = np.log(line / (1 - line))
    given = np.log(probability / (1 - probability)).reshape(5, 10)
    for row, of in zip(odds, given, strict=True):
        assert np.polyval(np.polyfit(of, row, 1), of) == pytest.approx(row)
        assert np.polyfit(of, row, 1)[0] > 1
    steps = calibrated(probability, bought, learner, "isotonic").reshape(5, 10)
    assert steps[:, :4] == pytest.approx(np.full((5, 4), 1 / 42))  # Laplace's, of 40
    assert steps[:, 6:] == pytest.approx(np.full((5, 4), 41 / 42))
    assert (np.diff(steps) >= 0).all()
    assert calibrated(probability, bought, learner, "none").tolist() == probability.tolist()


def test_without_a_yes_or_a_no_among_the_others_nothing_is_calibrated() -> None:
    learner = np.arange(10).astype(np.int32)
    probability = np.linspace(0.1, 0.9, 10)
    for same in (np.zeros(10, bool), np.ones(10, bool)):
        assert calibrated(probability, same, learner, "platt") == pytest.approx(probability)


def test_a_fitted_calibrator_answers_as_scikit_learn_does() -> None:
    probability, bought, _ = world()
    asked = np.array([0.0, 1e-9, 0.1, 0.5, 0.9, 1.0])
    steps = IsotonicRegression(out_of_bounds="clip").fit(probability, bought)
    least = 1 / (len(bought) + 2)
    np.testing.assert_allclose(
        fit_calibrator(probability, bought, "isotonic")(asked),
        np.clip(steps.predict(asked), least, 1 - least),
        rtol=1e-12,
    )
    line = LogisticRegression(C=np.inf, max_iter=1000)
    line.fit(logit(np.clip(probability, 1e-6, 1 - 1e-6))[:, None], bought)
    np.testing.assert_allclose(
        fit_calibrator(probability, bought, "platt")(asked),
        line.predict_proba(logit(np.clip(asked, 1e-6, 1 - 1e-6))[:, None])[:, 1],
        rtol=1e-12,
    )
    for uncalibrated in (
        fit_calibrator(probability, bought, "none"),
        fit_calibrator(probability, np.zeros_like(bought), "platt"),
    ):
        np.testing.assert_array_equal(uncalibrated(asked), asked)


def test_steps_of_a_calibrator_without_a_limit_reach_both_ends() -> None:
    asked = np.array([0.0, 0.25, 1.0])
    assert Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))(asked).tolist() == asked.tolist()


def test_decisions_are_at_the_best_threshold_of_the_other_four_fifths_of_learners() -> None:
    probability, bought, sequence = world(200, 2)
    taken, thresholds = decisions(probability, bought, sequence)
    part = np.random.default_rng(0).permutation(int(sequence.max()) + 1) % 5
    assert len(thresholds) == 5
    for n, threshold in enumerate(thresholds):
        others = part[sequence] != n
        yes = int(bought[others].sum())
        f1 = {}
        for t in probability[others]:
            over = probability[others] >= t
            f1[t] = 2 * int((over & bought[others]).sum()) / (int(over.sum()) + yes)
        best = max(f1.values())
        assert threshold == min(t for t, value in f1.items() if value > best - 1e-12)
        np.testing.assert_array_equal(taken[~others], probability[~others] >= threshold)


def test_pooled_metrics_are_scikit_learns_and_a_lift_over_the_share_of_yes() -> None:
    probability, bought, sequence = world()
    price = np.where(np.arange(600) % 3 == 0, np.nan, np.arange(600.0))
    found = pooled_metrics(probability, bought, sequence, price)
    taken, _ = decisions(probability, bought, sequence)
    expected = {
        "roc_auc": roc_auc_score(bought, probability),
        "pr_auc": average_precision_score(bought, probability),
        "ece": calibration_error(probability, bought),
        "precision": precision_score(bought, taken),
        "recall": recall_score(bought, taken),
        "f1": f1_score(bought, taken),
        "lift": bought[np.argsort(-probability)[:60]].mean() / bought.mean(),
    }
    assert found == pytest.approx(expected | revenue(probability, bought, price))
    assert {*found} - {*pooled_metrics(probability, bought, sequence, None)} == {
        "expected_revenue", "revenue",
    }  # fmt: skip


def test_without_a_hit_precision_recall_and_f1_are_zero() -> None:
    probability, bought = np.array([0.9, 0.1, 0.1, 0.1]), np.array([False, False, True, True])
    learner = np.arange(4, dtype=np.int32)
    found = pooled_metrics(probability, bought, learner, None)
    taken, _ = decisions(probability, bought, learner)
    hits = int((taken & bought).sum())
    assert found["recall"] == hits / 2
    assert found["f1"] == pytest.approx(f1_score(bought, taken, zero_division=0.0))


def test_without_a_price_there_is_no_revenue() -> None:
    probability, bought = np.full(3, 0.5), np.ones(3, bool)
    assert revenue(probability, bought, None) == {}
    assert revenue(probability, bought, np.full(3, np.nan)) == {}
    assert revenue(probability, bought, np.array([np.nan, 4.0, np.nan])) == {
        "expected_revenue": 2.0, "revenue": 4.0,
    }  # fmt: skip


def test_bins_are_of_equally_many_examples_by_ascending_probability() -> None:
    order = np.random.default_rng(0).permutation(40)
    probability = np.linspace(0, 1, 40)[order]
    bought = (np.arange(40) % 4 == 0)[order]
    bins = reliability(probability, bought)
    assert [each.examples for each in bins] == [4] * 10
    ranked = np.linspace(0, 1, 40).reshape(10, 4)
    assert [each.predicted for each in bins] == pytest.approx(ranked.mean(axis=1))
    assert [each.bought for each in bins] == [0.25] * 10


def test_a_border_moves_to_where_its_equal_probabilities_begin() -> None:
    probability = np.array([0.1, 0.2, 0.2, 0.2, 0.2, 0.9])
    bins = reliability(probability, probability > 0.5, bins=3)
    assert [each.examples for each in bins] == [1, 5]
    assert [each.bought for each in bins] == [0, 0.2]


def test_losses_are_finite_and_no_further_from_0_than_rounding_allows() -> None:
    wrong = log_losses(np.array([0.0, 1.0]), np.array([True, False]))
    assert wrong == pytest.approx([-np.log(2.0**-52)] * 2)
    assert squared_errors(np.array([0.2, 0.7]), np.array([True, False])) == pytest.approx(
        [0.64, 0.49]
    )


def test_the_report_names_both_answers_even_if_one_is_never_given() -> None:
    report = report_at_threshold(
        np.full(6, 0.4), np.zeros(6, bool), np.arange(6, dtype=np.int32), ("no", "yes")
    )
    assert report["yes"] == {"precision": 0, "recall": 0, "f1-score": 0, "support": 0}
    assert report["no"]["support"] == 6


def test_a_part_without_both_answers_among_the_others_keeps_its_probabilities() -> None:
    """The one yes is a learner's whose part is calibrated on none."""
    learner = np.arange(10, dtype=np.int32)
    bought = learner == 0
    probability = np.linspace(0.1, 0.9, 10)
    part = np.random.default_rng(0).permutation(10) % 5
    found = calibrated(probability, bought, learner, "isotonic")
    own = part == part[0]
    np.testing.assert_array_equal(found[own], probability[own])
    assert (found[~own] != probability[~own]).any()


def test_a_calibrator_of_steps_tells_its_corners_and_one_of_a_line_its_two_numbers() -> None:
    probability, bought, _ = world()
    line = fit_calibrator(probability, bought, "platt")
    assert (line.calibration, len(line.x), len(line.y), line.least) == ("platt", 1, 1, 0)
    steps = fit_calibrator(probability, bought, "isotonic")
    assert (steps.calibration, steps.least) == ("isotonic", 1 / 602)
    assert fit_calibrator(probability, bought, "none") == Calibrator()
