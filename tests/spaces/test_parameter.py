import math
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FixedTrial
from pydantic import ValidationError
from ranges import parameter

from recsweep.config.values import Value
from recsweep.spaces.parameter import Parameter, hold, on_grid


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "give one of int, float, choice; found none"),
        ({"int": (1, 2), "float": (1, 2)}, "give one of int, float, choice; found int, float"),
        ({"choice": ["a"]}, "a choice needs two values or more"),
        ({"choice": ["a", "b", "a"]}, "holds a value twice"),
        ({"choice": ["a", "b"], "log": True}, "a choice has neither log nor step"),
        ({"choice": [1, 2], "step": 1}, "a choice has neither log nor step"),
        ({"float": (1, 1)}, r"the range \[1, 1\] is empty"),
        ({"int": (3, 2)}, r"the range \[3, 2\] is empty"),
        ({"float": (0, 1), "log": True}, "a range on a log scale starts above 0"),
        ({"int": (0, 3), "step": 1.5}, "the step of an int is a whole number, found 1.5"),
        ({"int": (0, 7), "step": 2}, "step 2.0 does not lead from 0 to 7"),
        ({"float": (0, 1), "step": 0}, "greater than 0"),
        ({"float": (1, 4), "pow2": True}, "pow2 is for an int without step"),
        ({"int": (1, 4), "pow2": True, "step": 1}, "pow2 is for an int without step"),
        ({"int": (1, 4), "pow2": True, "log": False}, "on a log scale"),
        ({"int": (0, 4), "pow2": True}, "should be two powers of two"),
        ({"int": (4, 4), "pow2": True}, "should be two powers of two"),
        ({"int": (3, 8), "pow2": True}, "should be two powers of two"),
        ({"int": (2, 9), "pow2": True}, "should be two powers of two"),
        ({"int": (1, 2), "why": ""}, "at least 1 character"),
        ({"int": (1, 2), "role": "other"}, "'scientific' or 'nuisance'"),
    ],
)
def test_what_is_no_range_and_no_choice_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        parameter(**keys)


@pytest.mark.parametrize(
    "keys",
    [
        {"choice": [1, True]},  # equal in Python, but two settings
        {"float": (1e-9, 1), "log": True},
        {"float": (-1, 0.5), "step": 0.5},
        {"float": (0, 0.3), "step": 0.1},  # 0.1 three times is not quite 0.3
        {"int": (0, 9), "step": 3},
        {"int": (1, 2), "pow2": True},
    ],
)
def test_the_smallest_of_what_is_right_is_taken(keys: dict[str, Any]) -> None:
    kind = next(iter(keys))
    assert parameter(**keys).declared == (kind, tuple(keys[kind]))


def test_a_range_is_continuous_or_linear_and_always_there_unless_it_says_otherwise() -> None:
    p = Parameter(float=(2, 4), role="nuisance", why="x")
    assert (p.name, p.log, p.step, p.pow2, dict(p.when)) == ("", False, None, False, {})
    assert p.at(0.25) == 2.5
    assert p.active({})
    assert (p.choices, p.size) == ((), math.inf)


def test_whole_numbers_have_equal_parts_of_a_linear_range_and_the_last_holds_its_end() -> None:
    p = parameter(int=(1, 4))
    places = (0, 0.24, 0.25, 0.49, 0.5, 0.75, 1)
    assert [p.at(place) for place in places] == [1, 1, 2, 2, 3, 4, 4]
    assert parameter(int=(0, 9), step=3).values() == (0, 3, 6, 9)
    assert [parameter(int=(0, 9), step=3).at(place) for place in (0.2, 0.3, 0.99)] == [0, 3, 9]


def test_choices_and_powers_of_two_have_equal_parts_too() -> None:
    assert [parameter(choice=["a", "b"]).at(place) for place in (0, 0.49, 0.5, 1)] == [*"aabb"]
    powers = parameter(int=(1, 8), pow2=True)
    assert [powers.at(place) for place in (0, 0.3, 0.5, 0.8)] == [1, 2, 4, 8]


def test_on_a_log_scale_the_middle_is_the_geometric_mean_at_the_nearest_of_the_grid() -> None:
    assert parameter(float=(0.01, 1), log=True).at(0.5) == pytest.approx(0.1)
    whole = parameter(int=(1, 100), log=True)
    assert [whole.at(place) for place in (0, 0.25, 0.5, 0.75, 1)] == [1, 3, 10, 32, 100]
    assert all(isinstance(whole.at(place), int) for place in (0.1, 0.6))
    assert parameter(int=(10, 1000), log=True, step=90).at(0.5) == 100


def test_a_linear_range_with_a_step_has_its_ends_and_the_numbers_between() -> None:
    p = parameter(float=(1, 2), step=0.25)
    assert [p.at(place) for place in (0, 0.1, 0.15, 0.5, 0.9, 1)] == [1, 1, 1.25, 1.5, 2, 2]
    assert p.size == 5


def test_on_a_log_scale_what_is_not_above_zero_lies_at_the_lower_end() -> None:
    p = parameter(float=(0.01, 1), log=True)
    assert [p.position(value) for value in (0, -1, 0.1)] == pytest.approx([0, 0, 0.5])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (0, None),
        (1.0, None),
        (0.75, None),
        (0.6, "0.6 is not a multiple of step 0.25 above 0"),
        (1.25, "1.25 is outside [0, 1]"),
        (-0.25, "-0.25 is outside [0, 1]"),
        (True, "True is not a number"),
        ("1", "'1' is not a number"),
    ],
)
def test_a_number_is_of_a_range_if_it_lies_within_and_on_the_grid(
    value: Value, problem: str | None
) -> None:
    assert parameter(float=(0, 1), step=0.25).problem(value) == problem


def test_a_grid_begins_at_the_lower_end() -> None:
    assert on_grid(7, 1, 3)
    assert not on_grid(6, 1, 3)
    assert on_grid(0.3, 0, 0.1)
    assert parameter(int=(1, 7), step=3).problem(4) is None
    assert parameter(int=(1, 7), step=3).problem(3) is not None


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"choice": ["a", "b"]}, CategoricalDistribution(("a", "b"))),
        ({"int": (1, 4)}, IntDistribution(1, 4)),
        ({"int": (1, 7), "step": 3}, IntDistribution(1, 7, step=3)),
        ({"int": (1, 9), "log": True}, IntDistribution(1, 9, log=True)),
        ({"int": (1, 8), "pow2": True}, IntDistribution(1, 8, log=True)),
        ({"float": (0, 1)}, FloatDistribution(0, 1)),
        ({"float": (0, 1), "step": 0.25}, FloatDistribution(0, 1, step=0.25)),
        ({"float": (1, 9), "log": True}, FloatDistribution(1, 9, log=True)),
        ({"float": (1, 9), "log": True, "step": 2}, FloatDistribution(1, 9, log=True)),
    ],
)
def test_optuna_knows_the_step_except_on_a_log_scale_where_it_has_none(
    keys: dict[str, Any], known: object
) -> None:
    assert parameter(**keys).distribution() == known


def test_what_optuna_draws_between_steps_of_a_log_scale_is_brought_to_the_nearest() -> None:
    def suggested(value: float, **keys: Any) -> Value:
        return parameter(**keys).suggest(FixedTrial({"p": value}))  # type: ignore[arg-type]

    assert suggested(6.4, float=(1, 9), log=True, step=2) == 7
    assert suggested(0.25, float=(0, 1), step=0.25) == 0.25
    assert suggested(6.4, float=(1, 9), log=True) == 6.4
    assert suggested(4, int=(1, 7), step=3) == 4


def test_each_condition_must_hold_and_one_of_its_values_is_enough() -> None:
    p = parameter(int=(1, 2), when={"a": ["x", "y"], "b": [1]})
    assert p.condition == "a is x or y and b is 1"
    assert p.active({"a": "y", "b": 1})
    assert not p.active({"a": "y", "b": 2})
    assert not p.active({"a": "y"})
    assert not p.active({"a": "y", "b": True})
    assert hold({}, {})
