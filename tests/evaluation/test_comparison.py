from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats

from recsweep.errors import BadInput
from recsweep.evaluation import comparison
from recsweep.evaluation.comparison import compare, rank_biserial
from recsweep.evaluation.variance import seed_spread, spread_of_difference
from recsweep.evaluation.verdict import PairVerdict

Tables = dict[str, NDArray[np.float64]]


def simulated(
    seed: int, gains: tuple[float, ...] = (0, 0), learners: int = 120, seeds: int = 5
) -> Tables:
    random = np.random.default_rng(seed)
    ability = random.normal(0, 0.2, learners)
    return {
        f"family_{f}": gain
        + ability
        + random.normal(0, 0.1, learners)
        + random.normal(0, 0.01, (seeds, 1))
        + random.normal(0, 0.1, (seeds, learners))
        for f, gain in enumerate(gains)
    }


def one(values: Tables, smallest_effect: float = 0.005, **keys: int) -> PairVerdict:
    return compare(values, smallest_effect, keys.get("resamples", 1999), keys.get("seed", 0))[0]


def test_no_interval_reaches_beyond_what_a_difference_of_the_metric_can_be() -> None:
    apart = np.array([[0.2], [0.7]]) + np.zeros(30)  # two seeds that are far apart
    values = {"a": apart, "b": np.full((2, 30), 0.4)}
    (free,), (held,) = compare(values, 0.005, 1999, 0), compare(values, 0.005, 1999, 0, bound=1.0)
    assert (free.lower, free.upper) == pytest.approx((0.05 - 3.18, 0.05 + 3.18), abs=0.5)
    assert (held.lower, held.upper) == (-1.0, 1.0)
    assert (held.outcome, held.p) == (free.outcome, free.p)
    wide = compare(values, 2.0, 1999, 0, bound=1.0)[0]
    assert wide.outcome == "no difference shown"  # cutting an interval off doesn't make them equal


def test_without_seed_noise_the_interval_is_the_paired_t_interval() -> None:
    random = np.random.default_rng(3)
    a, b = random.random((2, 1, 2000))
    verdict = one({"a": a, "b": b}, resamples=9999)
    test = stats.ttest_rel(a[0], b[0])
    reference = test.confidence_interval(0.95)
    assert_allclose(verdict.difference, (a - b).mean())
    assert_allclose(verdict.standard_error, stats.sem(a[0] - b[0]))
    assert_allclose([verdict.lower, verdict.upper], [reference.low, reference.high], rtol=0.05)
    assert_allclose(verdict.p, test.pvalue, atol=0.015)


def test_where_only_seeds_differ_the_error_is_that_of_welch_s_test() -> None:
    random = np.random.default_rng(4)
    seeds_a, seeds_b = random.normal(0.5, 0.01, 5), random.normal(0.4, 0.03, 4)
    values = {"a": seeds_a[:, None] + np.zeros(50), "b": seeds_b[:, None] + np.zeros(50)}
    verdict = one(values)
    welch = stats.ttest_ind(seeds_a, seeds_b, equal_var=False)
    assert_allclose(verdict.standard_error, (seeds_a.mean() - seeds_b.mean()) / welch.statistic)
    assert verdict.seed_share == 1.0
    assert verdict.p >= welch.pvalue
    low, high = welch.confidence_interval(0.95)
    assert 0.9 < (verdict.upper - verdict.lower) / (high - low) < 1.3


def test_five_seeds_widen_the_interval_that_learners_alone_would_give() -> None:
    values = simulated(1, seeds=5)
    values = {name: table + np.linspace(-0.1, 0.1, 5)[:, None] for name, table in values.items()}
    averaged = {name: table.mean(axis=0, keepdims=True) for name, table in values.items()}
    wide, narrow = one(values), one(averaged)
    assert_allclose(wide.difference, narrow.difference)
    assert wide.upper - wide.lower > 2 * (narrow.upper - narrow.lower)


@settings(max_examples=200)
@given(
    resamples=st.sampled_from([99, 100, 499]),  # few: a slip by one resample would show
    seed=st.integers(0, 10_000),
    gain=st.floats(-0.05, 0.05),
    families=st.integers(2, 4),
    level=st.sampled_from([0.8, 0.9, 0.95, 0.99]),
)
def test_interval_and_p_never_disagree(
    resamples: int, seed: int, gain: float, families: int, level: float
) -> None:
    values = simulated(seed, tuple(gain * f for f in range(families)), learners=40)
    for verdict in compare(values, 1e-6, resamples, seed, level):
        assert (verdict.lower > 0 or verdict.upper < 0) == (verdict.p <= 1 - level + 1e-12)
        assert verdict.lower <= verdict.difference <= verdict.upper
        assert 1 / (resamples + 1) <= verdict.p <= 1


def test_more_pairs_widen_every_interval() -> None:
    values = simulated(2, (0, 0.1, 0.2, 0.3, 0.4, 0.5))
    few = one({name: values[name] for name in ("family_0", "family_1")})
    many = one(values)
    assert_allclose(few.difference, many.difference)
    assert many.upper - many.lower > 1.2 * (few.upper - few.lower)
    # Bonferroni over 15 pairs ignores what the pairs share; the resampling must not be wider.
    ratio = stats.t.isf(0.025 / 15, 100) / stats.t.isf(0.025, 100)
    assert many.upper - many.lower < 1.05 * ratio * (few.upper - few.lower)


def test_a_few_declared_pairs_have_narrower_intervals_than_all() -> None:
    values = simulated(2, (0, 0.1, 0.2, 0.3, 0.4, 0.5))
    pair = ("family_1", "family_0")
    everything = {frozenset((v.a, v.b)): v for v in compare(values, 0.005, 1999, 0)}
    asked, *others = compare(values, 0.005, 1999, 0, contrasts=[pair])
    assert (asked.a, asked.b, asked.exploratory) == (*pair, False)
    alone = one({name: values[name] for name in ("family_0", "family_1")})
    assert_allclose(asked.upper - asked.lower, alone.upper - alone.lower, rtol=0.05)
    assert len(others) == 14
    for other in others:  # what was not asked for is as it was: adjusted for all pairs
        same = everything[frozenset((other.a, other.b))]
        assert other.exploratory
        assert (other.lower, other.upper, other.p) == (same.lower, same.upper, same.p)
        assert "; exploratory)" in other.sentence("ndcg@10")


def test_the_order_of_families_only_turns_the_signs() -> None:
    values = simulated(5, (0, 0.02, 0.05))
    forwards = {(v.a, v.b): v for v in compare(values, 0.005, 999, 7)}
    turned = compare(dict(reversed(values.items())), 0.005, 999, 7)
    assert len(turned) == 3
    for verdict in turned:
        same = forwards[verdict.b, verdict.a]
        assert_allclose(
            [verdict.difference, verdict.lower, verdict.upper, verdict.d_z, verdict.rank_biserial],
            [-same.difference, -same.upper, -same.lower, -same.d_z, -same.rank_biserial],
        )
        assert verdict.p == same.p


def test_the_order_of_seeds_changes_nothing() -> None:
    values = simulated(6, (0, 0.03))
    shuffled = {name: table[::-1] for name, table in values.items()}
    before, after = one(values), one(shuffled)
    assert_allclose([after.lower, after.upper], [before.lower, before.upper], rtol=1e-9)


def test_the_order_of_learners_changes_only_the_draws() -> None:
    values = simulated(6, (0, 0.03))
    order = np.random.default_rng(0).permutation(120)
    before = one(values, resamples=9999)
    after = one({name: table[:, order] for name, table in values.items()}, resamples=9999)
    assert_allclose(after.standard_error, before.standard_error)
    assert_allclose([after.lower, after.upper], [before.lower, before.upper], atol=0.003)


def test_the_same_seed_gives_the_same_verdicts() -> None:
    values = simulated(7, (0, 0.03, 0.01))
    assert compare(values, 0.005, 999, 1) == compare(values, 0.005, 999, 1)
    assert compare(values, 0.005, 999, 1) != compare(values, 0.005, 999, 2)


def test_a_family_against_itself_without_any_spread_is_equivalent() -> None:
    row = np.random.default_rng(0).random((1, 900))
    verdict = one({"a": row, "b": row.copy()})
    assert verdict.difference == 0
    assert -verdict.lower == verdict.upper <= 3 / 900  # the rule of three
    assert (verdict.p, verdict.outcome) == (1, "equivalent")
    assert (verdict.d_z, verdict.rank_biserial, verdict.seed_share) == (0, 0, 0)


def test_equal_gaps_for_every_learner_leave_no_doubt() -> None:
    row = np.random.default_rng(0).random((5, 1, 30))[:1]
    values = {"a": row[0] + 0.1, "b": row[0]}
    verdict = one(values)
    assert_allclose([verdict.lower, verdict.upper], [0.1, 0.1])
    assert (verdict.p, verdict.outcome) == (1 / 2000, "better")


def test_the_same_values_under_two_names_are_no_difference_even_with_seeds() -> None:
    table = simulated(8)["family_0"]
    verdict = one({"a": table, "b": table.copy()})
    assert verdict.difference == 0
    assert verdict.p == 1
    assert verdict.lower < 0 < verdict.upper


def test_a_pair_without_spread_does_not_disturb_the_others() -> None:
    values = simulated(9, (0, 0.3))
    floor = np.zeros((1, 120))
    alone = one(values)
    together = compare({**values, "zero": floor, "zero_again": floor}, 0.005, 1999, 0)
    pair = next(v for v in together if {v.a, v.b} == {"zero", "zero_again"})
    assert (pair.difference, pair.p) == (0, 1)
    assert together[0].outcome == alone.outcome == "worse"


def test_two_learners_are_enough_for_a_wide_finite_interval() -> None:
    verdict = one({"a": np.array([[0.1, 0.5]]), "b": np.array([[0.2, 0.1]])})
    assert np.isfinite([verdict.lower, verdict.upper]).all()
    assert verdict.upper - verdict.lower > 2
    assert verdict.outcome == "no difference shown"


@pytest.mark.parametrize("learners", [3, 5, 8])
def test_few_learners_with_many_zeros_never_give_an_absurd_interval(learners: int) -> None:
    random = np.random.default_rng(learners)
    for _ in range(60):
        values = {name: random.random((5, learners)) for name in "abc"}
        for table in values.values():
            table[:, random.random(learners) < 0.6] = 0
        assert all(v.upper - v.lower < 20 for v in compare(values, 0.005, 499, 0))


def test_a_handful_of_unequal_learners_is_not_overstated() -> None:
    a = np.zeros((1, 1000))
    a[0, :4] = 1.0
    verdict = one({"a": a, "b": np.zeros((1, 1000))})
    assert verdict.lower < 0 < verdict.upper < 0.02


def test_no_pairs_no_verdicts() -> None:
    assert compare({"a": np.ones((2, 3))}, 0.005, 999, 0) == ()
    assert compare({}, 0.005, 999, 0) == ()


@pytest.mark.parametrize(
    ("b", "keys", "message"),
    [
        (np.array([[0.1, np.nan, 0.2]]), {}, r"b: the value of seed 0, learner 1 is nan"),
        (np.array([[0.1, 0.2, np.inf]]), {}, r"learner 2 is inf"),
        (np.zeros((5, 4)), {}, r"b: 4 learners, but 3 in a"),
        (np.zeros(3), {}, r"b: found values of shape \(3,\)"),
        (np.zeros((0, 3)), {}, r"b: found values of shape \(0, 3\)"),
        (np.zeros((1, 3)), {"resamples": 10}, r"more than 10 resamples"),
        (np.zeros((1, 3)), {"level": 1.0}, r"level 1.0"),
        (np.zeros((1, 3)), {"scope": "families"}, r"one search"),
    ],
)
def test_unusable_values_are_named(
    b: NDArray[np.float64], keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        compare({"a": np.zeros((2, 3)), "b": b}, 0.005, **{"resamples": 999, "seed": 0, **keys})


def test_one_learner_is_too_few() -> None:
    with pytest.raises(BadInput, match="a verdict needs at least 2"):
        compare({"a": np.zeros((2, 1)), "b": np.zeros((2, 1))}, 0.005, 999, 0)


def test_rank_biserial_worked_by_hand() -> None:
    # Absolute ranks 1, 2.5, 2.5, 4 with the second against: (1 + 2.5 + 4 - 2.5) / 10.
    assert rank_biserial(np.array([0.1, -0.2, 0.2, 0.3, 0.0])) == 0.5
    assert rank_biserial(np.array([0.1, 0.2])) == 1.0
    assert rank_biserial(np.zeros(3)) == 0.0


def test_effect_sizes_are_of_the_paired_differences() -> None:
    values = simulated(10, (0.1, 0))
    verdict = one(values)
    paired = values["family_0"].mean(axis=0) - values["family_1"].mean(axis=0)
    assert_allclose(verdict.d_z, paired.mean() / paired.std(ddof=1))
    assert_allclose(verdict.mean_a - verdict.mean_b, verdict.difference)


def test_a_bigger_gain_never_has_a_bigger_p() -> None:
    values = simulated(11)
    level = values["family_0"] - values["family_0"].mean()
    other = values["family_1"] - values["family_1"].mean()
    found = [one({"a": level + gain, "b": other}).p for gain in (0, 0.01, 0.02, 0.04, 0.08)]
    assert found[0] == 1
    assert found[-1] < 0.01
    assert all(later <= earlier for earlier, later in pairwise(found))


def test_null_families_are_told_apart_in_about_one_study_of_twenty() -> None:
    outcomes = [compare(simulated(seed, (0, 0, 0), 60), 1e-6, 499, seed) for seed in range(300)]
    false = sum(any(v.p <= 0.05 for v in study) for study in outcomes)
    # Binomial(300, .05): 15 expected, 26 is beyond the 99.5% point.
    assert 4 <= false <= 26


def with_roots(
    roots: list[float], monkeypatch: pytest.MonkeyPatch, **keys: Any
) -> tuple[PairVerdict, ...]:
    """Of three families, with resamples whose smallest roots are told; for all pairs twice them."""
    monkeypatch.setattr(
        comparison,
        "smallest_roots",
        lambda means, spreads, groups, resamples, seed: np.array([roots, roots]) * [[1], [2]],
    )
    values = simulated(12, (0, 0.01, 0.02), learners=30)
    return compare(values, 0.005, len(roots), 0, **keys)


@pytest.mark.parametrize(("resamples", "level", "place"), [(99, 0.95, 5), (39, 0.9, 4)])
def test_a_pairs_interval_and_p_are_read_off_the_same_smallest_roots(
    resamples: int, level: float, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = np.random.default_rng(0).uniform(0, 0.3, resamples).tolist()
    for verdict in with_roots(roots, monkeypatch, level=level):
        values = simulated(12, (0, 0.01, 0.02), learners=30)
        a, b = values[verdict.a], values[verdict.b]
        paired = a.mean(axis=0) - b.mean(axis=0)
        spread = spread_of_difference(paired, seed_spread(a), seed_spread(b), a)
        critical = min(sorted(roots)[place - 1], 1 - level)
        half = stats.t.isf(critical / 2, spread.freedom) * spread.standard_error
        assert_allclose(
            (verdict.lower, verdict.upper), (paired.mean() - half, paired.mean() + half)
        )
        root = 2 * stats.t.sf(abs(paired.mean()) / spread.standard_error, spread.freedom)
        as_small = sum(each <= root for each in roots)
        assert_allclose(verdict.p, max((1 + as_small) / (1 + resamples), root))
        assert_allclose(verdict.standard_error, spread.standard_error)
        assert_allclose(verdict.seed_share, spread.seeds / (spread.seeds + spread.learners))
        assert (verdict.learners, verdict.seeds_a, verdict.seeds_b) == (30, 5, 5)
        assert (verdict.level, verdict.smallest_effect) == (level, 0.005)
        assert (verdict.mean_a, verdict.mean_b) == pytest.approx((a.mean(), b.mean()))
        assert verdict.scope == "configurations"


def test_neither_reading_goes_below_what_a_pairs_own_t_test_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for verdict in with_roots([2.0] * 99, monkeypatch):
        values = simulated(12, (0, 0.01, 0.02), learners=30)
        a, b = values[verdict.a], values[verdict.b]
        spread = spread_of_difference(
            a.mean(axis=0) - b.mean(axis=0), seed_spread(a), seed_spread(b), a
        )
        half = stats.t.isf(0.025, spread.freedom) * spread.standard_error
        assert_allclose(verdict.upper - verdict.lower, 2 * half)
        root = 2 * stats.t.sf(abs(verdict.difference) / spread.standard_error, spread.freedom)
        assert_allclose(verdict.p, max(1 / 100, root))


def test_declared_pairs_come_first_and_the_others_are_read_off_the_roots_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roots = np.linspace(0.01, 0.2, 99).tolist()
    declared = [("family_2", "family_0")]
    found = with_roots(roots, monkeypatch, contrasts=declared, lower_is_better=True)
    assert [(v.a, v.b, v.exploratory) for v in found] == [
        ("family_2", "family_0", False),
        ("family_0", "family_1", True),
        ("family_1", "family_2", True),
    ]
    assert all(v.lower_is_better for v in found)
    every = with_roots([2 * root for root in roots], monkeypatch)
    again = {(v.a, v.b): v for v in every}
    for verdict in found[1:]:
        same = again[verdict.a, verdict.b]
        assert (verdict.lower, verdict.p) == (same.lower, same.p)


def test_what_a_sample_cannot_tell_is_a_caveat() -> None:
    few = one({"a": np.array([[0.001, -0.001] * 10]), "b": np.zeros((1, 20))})
    assert few.caveats == ()  # what is seen is all that a learner may differ by
    (bounded,) = compare(
        {"a": np.array([[0.001, -0.001] * 10]), "b": np.zeros((1, 20))}, 0.005, 999, 0, bound=1.0
    )
    assert (bounded.outcome, bounded.caveats) == ("no difference shown", ("few learners",))
    skewed = np.zeros((1, 200))
    skewed[0, :3] = 1.0
    assert one({"a": skewed, "b": np.zeros((1, 200))}).caveats == ("skewed",)


def test_where_no_learner_differs_the_interval_is_what_an_unseen_kind_may_add() -> None:
    same = np.full((1, 40), 0.25)
    (verdict,) = compare({"a": same, "b": same}, 0.005, 999, 0, level=0.9, bound=1.0)
    assert verdict.upper == -verdict.lower == pytest.approx(1 - 0.1 ** (1 / 40))
    (seeds,) = compare({"a": same + np.array([[0.0], [0.5]]), "b": same}, 0.005, 999, 0, bound=1.0)
    assert seeds.seed_share == 1
    assert seeds.d_z == 0  # learners do not differ among each other


def test_few_resamples_are_enough_for_a_level_that_they_can_tell() -> None:
    values = {"a": np.zeros((1, 3)), "b": np.zeros((1, 3))}
    assert compare(values, 0.005, 19, 0)  # one of twenty, the sample among them
    with pytest.raises(BadInput, match=r"level 0\.95 needs more than 18 resamples"):
        compare(values, 0.005, 18, 0)
    with pytest.raises(BadInput, match="level 0 needs"):
        compare(values, 0.005, 99, 0, level=0)


def test_two_searches_are_enough_for_a_verdict_on_families() -> None:
    (verdict,) = compare(simulated(13, learners=20, seeds=2), 0.005, 999, 0, scope="families")
    assert (verdict.scope, verdict.seeds_a) == ("families", 2)
