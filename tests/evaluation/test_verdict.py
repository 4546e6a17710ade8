import dataclasses

import numpy as np
import pytest

from recsweep.evaluation.comparison import compare
from recsweep.evaluation.verdict import Outcome, PairVerdict, Scope, decide

BASE = PairVerdict(
    a="gru",
    b="matrix_factorization",
    outcome="better",
    difference=0.012,
    lower=0.004,
    upper=0.020,
    p=0.003,
    mean_a=0.112,
    mean_b=0.1,
    standard_error=0.004,
    seed_share=0.2,
    d_z=0.1,
    rank_biserial=0.15,
    learners=1234,
    seeds_a=5,
    seeds_b=5,
    level=0.95,
    smallest_effect=0.005,
    scope="configurations",
)


@pytest.mark.parametrize(
    ("lower", "upper", "outcome"),
    [
        (0.004, 0.020, "better"),
        (-0.020, -0.004, "worse"),
        (-0.004, 0.020, "no difference shown"),
        (-0.004, 0.004, "equivalent"),
        (0.001, 0.004, "equivalent"),
        (-0.004, -0.001, "equivalent"),
        (0.001, 0.005, "better"),
        (-0.005, 0.001, "no difference shown"),
        (0.0, 0.02, "no difference shown"),
        (0.0, 0.0, "equivalent"),
        (-0.02, 0.0, "no difference shown"),
    ],
)
def test_an_interval_reads(lower: float, upper: float, outcome: Outcome) -> None:
    assert decide(lower, upper, 0.005) == outcome


def test_the_winner_is_named_first() -> None:
    names = {"gru": "GRU", "matrix_factorization": "matrix factorisation"}
    assert BASE.sentence("NDCG@10", names) == (
        "GRU beats matrix factorisation by 0.012 NDCG@10 [0.004, 0.020] "
        "(1,234 learners, 5 seeds; applies to the selected configurations only)"
    )
    lost = dataclasses.replace(
        BASE, outcome="worse", difference=-0.012, lower=-0.02, upper=-0.004, seeds_b=1
    )
    assert lost.sentence("NDCG@10", names) == (
        "matrix factorisation beats GRU by 0.012 NDCG@10 [0.004, 0.020] "
        "(1,234 learners, 5 and 1 seeds; applies to the selected configurations only)"
    )


def test_a_lead_is_above_zero_where_the_first_is_better_whichever_way_is_better() -> None:
    assert BASE.lead == (0.012, 0.004, 0.020)
    less = dataclasses.replace(BASE, lower_is_better=True, outcome="worse")
    assert less.lead == (-0.012, -0.020, -0.004)


def test_a_difference_too_small_to_matter_is_shown_beside_equivalent() -> None:
    small = dataclasses.replace(
        BASE, outcome="equivalent", difference=0.002, lower=0.001, upper=0.003
    )
    assert small.sentence("ndcg@10").startswith(
        "gru and matrix_factorization are equivalent within 0.005 ndcg@10: "
        "difference 0.002 ndcg@10 [0.001, 0.003]"
    )


def test_no_difference_shown_is_a_sentence_of_its_own() -> None:
    none = dataclasses.replace(
        BASE, outcome="no difference shown", lower=-0.01, scope="families", seeds_a=4, seeds_b=4
    )
    assert none.sentence("ndcg@10") == (
        "no significant difference between gru and matrix_factorization: 0.012 ndcg@10 "
        "[-0.010, 0.020] (1,234 learners, 4 searches; applies to the model families)"
    )


def test_a_bound_beyond_zero_is_never_shown_as_zero() -> None:
    close = dataclasses.replace(BASE, lower=0.00004)
    assert "[0.00004, 0.02000]" in close.sentence("ndcg@10")


def test_a_zero_has_no_sign() -> None:
    same = dataclasses.replace(BASE, outcome="equivalent", difference=-0.0, lower=0.0, upper=0.0)
    assert "0.000 ndcg@10 [0.000, 0.000]" in same.sentence("ndcg@10")


def test_what_is_left_of_sums_that_cancel_is_zero() -> None:
    left = dataclasses.replace(BASE, outcome="equivalent", difference=-2e-17, lower=-4e-17)
    same = dataclasses.replace(left, upper=3e-17)
    assert "0.000 ndcg@10 [0.000, 0.000]" in same.sentence("ndcg@10")


def test_where_less_is_better_the_outcome_turns_and_the_numbers_stay() -> None:
    values = {"low": np.full((2, 30), 0.3), "high": np.full((2, 30), 0.5)}
    values["low"] += np.linspace(-0.01, 0.01, 30)
    values["high"] -= np.linspace(-0.01, 0.01, 30)
    (more,) = compare(values, 0.005, 1000, 0)
    (less,) = compare(values, 0.005, 1000, 0, lower_is_better=True)
    assert (more.outcome, less.outcome) == ("worse", "better")
    assert (more.difference, more.lower, more.p) == (less.difference, less.lower, less.p)
    assert less.difference < 0
    assert less.sentence("log loss").startswith("low beats high by 0.200 log loss [")


def test_what_is_said_of_a_is_turned_to_be_said_of_b() -> None:
    verdict = dataclasses.replace(BASE, seeds_a=3, caveats=("skewed",), exploratory=True)
    turned = verdict.turned()
    assert (turned.a, turned.b, turned.outcome) == ("matrix_factorization", "gru", "worse")
    assert (turned.difference, turned.lower, turned.upper) == (-0.012, -0.020, -0.004)
    assert (turned.mean_a, turned.mean_b, turned.seeds_a, turned.seeds_b) == (0.1, 0.112, 5, 3)
    assert (turned.d_z, turned.rank_biserial, turned.p) == (-0.1, -0.15, 0.003)
    assert turned.turned() == verdict
    even = dataclasses.replace(BASE, outcome="equivalent")
    assert even.turned().outcome == even.where_less_is_better().outcome == "equivalent"


@pytest.mark.parametrize(
    ("seeds", "scope", "said"),
    [
        ((1, 1), "configurations", "1 seed; applies to the selected configurations only"),
        ((2, 2), "configurations", "2 seeds; applies to the selected configurations only"),
        ((3, 2), "configurations", "3 and 2 seeds; applies to the selected configurations only"),
        ((1, 1), "families", "1 search; applies to the model families"),
        ((2, 5), "families", "2 and 5 searches; applies to the model families"),
    ],
)
def test_what_it_rests_on_is_counted(seeds: tuple[int, int], scope: Scope, said: str) -> None:
    verdict = dataclasses.replace(BASE, seeds_a=seeds[0], seeds_b=seeds[1], scope=scope)
    assert verdict.sentence("x", unit="sessions").endswith(f"(1,234 sessions, {said})")


def test_caveats_come_before_what_it_rests_on() -> None:
    verdict = dataclasses.replace(BASE, caveats=("few learners", "skewed"), exploratory=True)
    assert verdict.sentence("x", unit="sessions").endswith(
        "[0.004, 0.020]; too few sessions to call them equivalent; few sessions make up most of"
        " the difference, so the interval may be too narrow"
        " (1,234 sessions, 5 seeds; applies to the selected configurations only; exploratory)"
    )


@pytest.mark.parametrize(
    ("lower", "shown"),
    [
        (0.0006, "0.012 x [0.001, 0.020]"),
        (0.0004, "0.0120 x [0.0004, 0.0200]"),
        (0.0000004, "0.0120000 x [0.0000004, 0.0200000]"),
        (0.00000004, "0.012 x [0.000, 0.020]"),
    ],
)
def test_as_many_decimals_are_shown_as_the_smallest_number_needs(lower: float, shown: str) -> None:
    assert shown in dataclasses.replace(BASE, lower=lower).sentence("x")


def test_where_less_is_better_the_other_family_may_be_ahead() -> None:
    less = dataclasses.replace(
        BASE, outcome="worse", lower_is_better=True, difference=0.1, lower=0.05, upper=0.2
    )
    assert less.sentence("x").startswith("matrix_factorization beats gru by 0.100 x [0.050, 0.200]")


def test_a_difference_that_an_unseen_kind_of_learners_may_make_is_not_equivalent() -> None:
    assert decide(-0.001, 0.001, 0.005, unseen=0.005) == "no difference shown"
    assert decide(-0.001, 0.001, 0.005, unseen=0.0049) == "equivalent"
    assert decide(-0.005, 0.001, 0.005) == decide(-0.001, 0.005, 0.005) == "no difference shown"
