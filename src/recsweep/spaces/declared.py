"""A search space as its file declares it, and as a study records it."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import field_validator, model_validator

from recsweep.config.files import nearest
from recsweep.config.schema import Schema, later
from recsweep.config.values import Configuration, OneValue, Value
from recsweep.spaces.parameter import Conditions, Parameter, hold


class DeclaredSpace(Schema):
    """The keys of a space file. What a study records of a space, too."""

    family: str  # in the registry
    fixed: Mapping[str, OneValue] = {}
    # fixed -> parameter -> its values with which the fixed value exists; not named: with all
    fixed_when: Mapping[str, Mapping[str, tuple[OneValue, ...]]] = later({})
    defaults: Mapping[str, OneValue] = {}  # the first trial, without the fixed values
    # in what each differs from the defaults; tried after them and before the sampler's own
    first_trials: tuple[Mapping[str, OneValue], ...] = ()
    parameters: Mapping[str, Parameter] = {}  # each after those that it depends on

    @field_validator("parameters", mode="before")
    @classmethod
    def _named(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        for name, keys in raw.items():
            if isinstance(keys, Mapping) and "name" in keys:
                raise ValueError(f"unknown key '{name}.name'")
        return {n: {**k, "name": n} if isinstance(k, Mapping) else k for n, k in raw.items()}

    @field_validator("parameters", mode="after")
    @classmethod
    def _in_order(cls, parameters: Mapping[str, Parameter]) -> Mapping[str, Parameter]:
        for parameter in parameters.values():
            _check_conditions(f"{parameter.name}.when", parameter.when, parameters)
        placed: dict[str, Parameter] = {}
        while len(placed) < len(parameters):
            ready = [
                p
                for p in parameters.values()
                if p.name not in placed and placed.keys() >= set(p.when)
            ]
            if not ready:
                circle = ", ".join(name for name in parameters if name not in placed)
                raise ValueError(f"the `when` of {circle} go in a circle")
            placed[ready[0].name] = ready[0]
        return placed

    @model_validator(mode="after")
    def _conditions_are_of_fixed_values(self) -> Self:
        for name, when in self.fixed_when.items():
            if name not in self.fixed:
                raise ValueError(f"fixed_when: {name!r} is not fixed{nearest(name, self.fixed)}")
            _check_conditions(f"fixed_when.{name}", when, self.parameters)
        return self

    def whole(self, values: Configuration) -> dict[str, Value]:
        """A configuration: the fixed values that exist beside these, and these."""
        return {**{k: v for k, v in self.fixed.items() if self.in_use(k, values)}, **values}

    def in_use(self, fixed: str, values: Configuration) -> bool:
        """Does this fixed value exist beside these?"""
        return hold(self.fixed_when.get(fixed, {}), values)

    def keys_as_declared(self) -> dict[str, Any]:
        """For the record: what the file says, without what it leaves out."""
        return self.model_dump(mode="json", exclude_unset=True)


Ends = tuple[float, float]


class Widening(Schema):
    """A range that was widened after the study had begun."""

    parameter: str
    before: Ends
    now: Ends
    trials: int  # that the family had by then


def _check_conditions(where: str, when: Conditions, parameters: Mapping[str, Parameter]) -> None:
    for name, allowed in when.items():
        _check_condition(where, name, allowed, parameters)


def _check_condition(
    where: str, name: str, allowed: tuple[Value, ...], parameters: Mapping[str, Parameter]
) -> None:
    if name not in parameters:
        raise ValueError(f"{where}: {name!r} is not a parameter{nearest(name, parameters)}")
    switch = parameters[name]
    if switch.float is not None:
        raise ValueError(
            f"{where}: {name} is continuous; only an int or a choice can be a condition"
        )
    if not allowed:
        raise ValueError(f"{where}.{name}: no value is given")
    for value in allowed:
        if problem := switch.problem(value):
            raise ValueError(f"{where}.{name}: {problem}")
