from typing import Any

import pytest
from pydantic import ValidationError

from recsweep.spaces.declared import DeclaredSpace

SAYS = {"role": "nuisance", "why": "x"}
LOSS = {"choice": ["a", "b"], **SAYS}
NEGATIVES = {"int": (1, 9), "when": {"loss": ["b"]}, **SAYS}


def declared(**keys: Any) -> DeclaredSpace:
    return DeclaredSpace.model_validate({"family": "gru", **keys})


def test_a_parameter_is_called_by_its_key_and_by_nothing_else() -> None:
    assert declared(parameters={"loss": LOSS}).parameters["loss"].name == "loss"
    with pytest.raises(ValidationError, match=r"unknown key 'loss\.name'"):
        declared(parameters={"loss": {**LOSS, "name": "loss"}})
    for no_parameters in (["loss"], {"loss": "a"}):
        with pytest.raises(ValidationError, match=r"valid dictionary|instance of Parameter"):
            declared(parameters=no_parameters)


def test_a_parameter_comes_after_those_that_it_depends_on_the_others_stay_in_order() -> None:
    deep = {"float": (0, 1), "when": {"negatives": [3], "loss": ["b"]}, **SAYS}
    found = declared(parameters={"z": LOSS, "deep": deep, "negatives": NEGATIVES, "loss": LOSS})
    assert [*found.parameters] == ["z", "loss", "negatives", "deep"]


def test_conditions_that_go_in_a_circle_are_refused_by_the_names_in_it() -> None:
    one = {"int": (1, 2), "when": {"other": [1]}, **SAYS}
    other = {"int": (1, 2), "when": {"one": [1]}, **SAYS}
    with pytest.raises(ValidationError, match="the `when` of one, other go in a circle"):
        declared(parameters={"loss": LOSS, "one": one, "other": other})


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"lose": ["a"]}, r"negatives\.when: 'lose' is not a parameter.*loss"),
        ({"rate": [0.5]}, "rate is continuous; only an int or a choice can be a condition"),
        ({"loss": []}, r"negatives\.when\.loss: no value is given"),
        ({"loss": ["a", "c"]}, r"negatives\.when\.loss: 'c' is not among"),
        ({"depth": [3]}, r"negatives\.when\.depth: 3 is outside \[1, 2\]"),
    ],
)
def test_a_condition_names_values_of_an_int_or_a_choice(
    when: dict[str, list[Any]], message: str
) -> None:
    others = {
        "loss": LOSS,
        "rate": {"float": (0, 1), **SAYS},
        "depth": {"int": (1, 2), **SAYS},
    }
    with pytest.raises(ValidationError, match=message):
        declared(parameters={**others, "negatives": {**NEGATIVES, "when": when}})
    declared(parameters={**others, "negatives": {**NEGATIVES, "when": {"depth": [2]}}})


def test_only_a_fixed_value_has_a_condition_among_the_fixed_ones_and_a_right_one() -> None:
    keys: dict[str, Any] = {"parameters": {"loss": LOSS}, "fixed": {"unit": "events"}}
    declared(**keys, fixed_when={"unit": {"loss": ["a"]}})
    with pytest.raises(ValidationError, match=r"fixed_when: 'units' is not fixed.*unit"):
        declared(**keys, fixed_when={"units": {"loss": ["a"]}})
    with pytest.raises(ValidationError, match=r"fixed_when\.unit\.loss: 'c' is not among"):
        declared(**keys, fixed_when={"unit": {"loss": ["c"]}})


def test_a_space_is_recorded_as_its_file_declares_it() -> None:
    keys = {
        "family": "gru",
        "defaults": {"loss": "a"},
        "parameters": {"loss": {"choice": ["a", "b"], "role": "nuisance", "why": "x"}},
    }
    assert declared(**keys).keys_as_declared() == keys
    assert declared().keys_as_declared() == {"family": "gru"}
