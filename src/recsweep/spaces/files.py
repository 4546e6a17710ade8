"""Reading `search_spaces/*.yaml`. Every mistake in one is a `BadInput` before anything runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import optuna
from pydantic import Field, model_validator

from recsweep.config.files import nearest, read_yaml, validate
from recsweep.config.schema import Schema
from recsweep.config.values import Value
from recsweep.errors import BadInput
from recsweep.models.family import Builds
from recsweep.spaces.parameter import Parameter, on_grid
from recsweep.spaces.space import Space

IntRange = tuple[int, int]
FloatRange = tuple[float, float]
Number = float
PROBES = 64
"""Configurations that are drawn at random to see whether the family takes them."""


class ParameterKeys(Schema):
    """The keys of one parameter: a range or choice, and what is known about it."""

    int: IntRange | None = None
    float: FloatRange | None = None
    choice: tuple[Value, ...] | None = None
    log: bool = False
    step: Number | None = Field(None, gt=0)
    when: Mapping[str, tuple[Value, ...]] = {}
    role: Literal["scientific", "nuisance"]
    why: str = Field(min_length=1)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [k for k in ("int", "float", "choice") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of int, float, choice; found {', '.join(given) or 'none'}")
        if self.choice is not None:
            _check_choice(self.choice, self.log, self.step)
        else:
            low, high = self.int or self.float or (0, 0)
            _check_range(low, high, self.log, self.step, whole=self.int is not None)
        return self

    def parameter(self, name: str) -> Parameter:
        """The same as a `Parameter`."""
        low, high = self.int or self.float or (0, 0)
        return Parameter(
            name=name,
            kind="int" if self.int else "float" if self.float else "choice",
            low=low,
            high=high,
            choices=self.choice or (),
            log=self.log,
            step=self.step,
            when=self.when,
            role=self.role,
            why=self.why,
        )


class SpaceKeys(Schema):
    """The keys of a space file."""

    family: str
    fixed: Mapping[str, Value] = {}
    defaults: Mapping[str, Value] = {}
    parameters: Mapping[str, ParameterKeys] = {}


def load_space(path: Path, families: Builds) -> Space:
    """Read and check a space.

    Raises:
        BadInput: one line that names the file and the parameter.
    """
    return parse_space(read_yaml(path), path, families)


def parse_space(raw: Mapping[str, object], path: Path, families: Builds) -> Space:
    """Check a space's keys; `path` is where they come from.

    Raises:
        BadInput: one line that names the file and the parameter.
    """
    keys = validate(SpaceKeys, raw, path)
    if keys.family not in families:
        raise BadInput(
            f"{path}: family {keys.family!r} does not serve the study's task"
            + nearest(keys.family, families)
        )
    family = families[keys.family]
    config = family.config
    for name in (*keys.fixed, *keys.parameters):
        if name not in config.model_fields:
            raise BadInput(
                f"{path}: {keys.family} has no setting {name!r}"
                + (nearest(name, config.model_fields) if config.model_fields else "")
            )
        if name in keys.fixed and name in keys.parameters:
            raise BadInput(f"{path}: {name} is both fixed and a parameter")
    parameters = _in_order(
        {name: entry.parameter(name) for name, entry in keys.parameters.items()}, path
    )
    space = Space(
        keys.family, parameters, keys.fixed, keys.defaults, config, raw, epochs=family.epochs
    )
    if problems := space.problems({**keys.fixed, **keys.defaults}):
        raise BadInput(f"{path}: defaults: {problems[0]}")
    _probe(space, path)
    return space


def _in_order(parameters: Mapping[str, Parameter], path: Path) -> tuple[Parameter, ...]:
    """As declared, but each after the parameters that its `when` names."""
    for parameter in parameters.values():
        for name, allowed in parameter.when.items():
            _check_condition(parameter, name, allowed, parameters, path)
    placed: dict[str, Parameter] = {}
    while len(placed) < len(parameters):
        ready = [
            p for p in parameters.values() if p.name not in placed and placed.keys() >= set(p.when)
        ]
        if not ready:
            circle = ", ".join(name for name in parameters if name not in placed)
            raise BadInput(f"{path}: the `when` of {circle} go in a circle")
        placed[ready[0].name] = ready[0]
    return tuple(placed.values())


def _check_condition(
    parameter: Parameter,
    name: str,
    allowed: tuple[Value, ...],
    parameters: Mapping[str, Parameter],
    path: Path,
) -> None:
    where = f"{path}: parameters.{parameter.name}.when"
    if name not in parameters:
        raise BadInput(f"{where}: {name!r} is not a parameter{nearest(name, parameters)}")
    switch = parameters[name]
    if switch.kind == "float":
        raise BadInput(f"{where}: {name} is continuous; only an int or a choice can be a condition")
    if not allowed:
        raise BadInput(f"{where}.{name}: no value is given")
    for value in allowed:
        if problem := switch.problem(value):
            raise BadInput(f"{where}.{name}: {problem}")


def _probe(space: Space, path: Path) -> None:
    """The family must take what the space proposes; its own rules may go beyond single fields."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(PROBES if space.parameters else 0):
        if problems := space.problems(space.suggest(study.ask())):
            raise BadInput(f"{path}: {problems[0]}")


def _check_choice(choice: tuple[Value, ...], log: bool, step: float | None) -> None:
    if len(choice) < 2:
        raise ValueError(f"a choice needs two values or more, found {list(choice)}")
    if len({(type(value), value) for value in choice}) < len(choice):
        raise ValueError(f"the choice {list(choice)} holds a value twice")
    if log or step is not None:
        raise ValueError("a choice has neither log nor step")


def _check_range(low: float, high: float, log: bool, step: float | None, *, whole: bool) -> None:
    if not low < high:
        raise ValueError(f"the range [{low:g}, {high:g}] is empty: the lower end comes first")
    if log and low <= 0:
        raise ValueError(f"a range on a log scale starts above 0, found [{low:g}, {high:g}]")
    if step is None:
        return
    if log:
        raise ValueError("a range has log or step, not both")
    if whole and step % 1:
        raise ValueError(f"the step of an int is a whole number, found {step}")
    if not on_grid(high, low, step):
        raise ValueError(f"step {step} does not lead from {low:g} to {high:g}")
