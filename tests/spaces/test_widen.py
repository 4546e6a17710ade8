from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sweeps import build

from recsweep.errors import BadInput
from recsweep.models.family import Build, Builds
from recsweep.models.protocol import FamilyConfig
from recsweep.spaces.declared import DeclaredSpace, Widening
from recsweep.spaces.files import parse_space
from recsweep.spaces.space import Space
from recsweep.spaces.widen import widenings, with_ends, with_ranges


class AnyNumbers(FamilyConfig):
    """Takes all that a space may propose."""

    x: float = 0
    width: int = 1
    grid: float = 0
    loss: str = "a"


FAMILIES: Builds = {"made_up": Build(AnyNumbers, build)}
SAYS = {"role": "nuisance", "why": "x"}
DEFAULTS = {"x": 1.5, "width": 4, "grid": 0.5, "loss": "a"}
PARAMETERS: dict[str, dict[str, Any]] = {
    "x": {"float": [1, 2], **SAYS},
    "width": {"int": [4, 8], **SAYS},
    "grid": {"float": [0, 1], "step": 0.5, **SAYS},
    "loss": {"choice": ["a", "b"], **SAYS},
}


def keys_of(**ranges: dict[str, Any]) -> dict[str, Any]:
    parameters = {name: {**keys, **ranges.get(name, {})} for name, keys in PARAMETERS.items()}
    return {"family": "made_up", "defaults": DEFAULTS, "parameters": parameters}


def declared(**ranges: dict[str, Any]) -> DeclaredSpace:
    return DeclaredSpace.model_validate(keys_of(**ranges))


@cache
def space() -> Space:
    return parse_space(keys_of(), Path("a.yaml"), FAMILIES)


def wide(*asked: str) -> Space:
    return with_ranges({"a": space(), "b": space()}, asked, FAMILIES)["a"]


def ends(name: str, *asked: str) -> tuple[float, float]:
    parameter = wide(*asked).parameters[name]
    return parameter.low, parameter.high


def test_one_end_or_both_may_move_outwards() -> None:
    assert ends("x", "a.x=1:3") == (1, 3)
    assert ends("x", "a.x=-1e-1:2") == (-0.1, 2)
    assert ends("x", "a.x=0:+2.5E0") == (0, 2.5)
    assert ends("width", "a.width=2:16") == (2, 16)


def test_a_range_that_is_as_wide_already_stays() -> None:
    assert wide("a.x=1:2", "a.grid=0:1") == space()


def test_several_ranges_are_widened_together_and_other_families_stay() -> None:
    found = with_ranges({"a": space(), "b": space()}, ("a.x=0:3", "a.width=1:8"), FAMILIES)
    assert (found["a"].parameters["x"].low, found["a"].parameters["width"].low) == (0, 1)
    assert found["b"] == space()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("a.x=1.1:3", r"the range is \[1, 2\]; a wider one holds all of it"),
        ("a.x=0:1.9", r"the range is \[1, 2\]; a wider one"),
        ("a.grid=-0.25:1", r"\[0, 1\] in steps of 0.5; a wider one"),
        ("a.grid=0:1.25", "does not lead from 0 to 1.25"),
        ("a.width=2.5:8", "valid integer"),
        ("a.loss=0:1", "a choice can't be widened"),
        ("a.y=0:1", "has no parameter 'y'"),
        ("c.x=0:3", "no family is called c"),
        ("a.x=0", "expected family.parameter=low:high"),
        ("a.x=0:1:2", "expected family.parameter=low:high"),
    ],
)
def test_what_is_no_wider_range_is_refused(asked: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        wide(asked)


def test_a_grid_keeps_its_values_where_it_begins_some_steps_lower() -> None:
    assert ends("grid", "a.grid=-1:2") == (-1, 2)


def found_between(before: DeclaredSpace, now: DeclaredSpace) -> list[tuple[str, Any, Any]]:
    """Each with its ranges."""
    found = widenings(before, now, 5)
    assert all(widening.trials == 5 for widening in found)
    return [(w.parameter, w.before, w.now) for w in found]


def test_every_range_that_is_wider_now_is_told_with_what_it_was() -> None:
    now = declared(x={"float": [0, 2]}, width={"int": [4, 9]})
    assert found_between(declared(), now) == [
        ("x", (1, 2), (0, 2)),
        ("width", (4, 8), (4, 9)),
    ]


def test_a_range_that_stayed_or_moved_or_shrank_is_not_wider() -> None:
    for other in ([1, 2], [1.5, 2], [1, 1.75], [1.5, 3], [0, 1.75]):
        assert found_between(declared(), declared(x={"float": other})) == []


def test_a_parameter_that_is_new_was_not_widened() -> None:
    before = DeclaredSpace(family="made_up")
    assert widenings(before, declared(), 5) == ()


def test_whole_ends_of_whole_numbers_are_recorded_as_such() -> None:
    keys = with_ends(declared(), {"width": (2.0, 8.0), "x": (0.0, 2.0)})["parameters"]
    assert (keys["width"]["int"], keys["x"]["float"]) == ([2, 8], [0.0, 2.0])
    assert [type(end) for end in keys["width"]["int"]] == [int, int]
    assert [type(end) for end in keys["x"]["float"]] == [float, float]
    for odd in ((2.5, 8.0), (2.0, 8.5)):
        keys = with_ends(declared(), {"width": odd})["parameters"]
        assert keys["width"]["int"] == [*odd]


def test_a_widening_keeps_both_ranges() -> None:
    (found,) = widenings(declared(), declared(x={"float": [0, 2]}), 7)
    assert found == Widening(parameter="x", before=(1, 2), now=(0, 2), trials=7)
