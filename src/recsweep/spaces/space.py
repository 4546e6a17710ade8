"""A search space: checked configurations, asked of Optuna define-by-run."""

import math
from itertools import product
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from recsweep.config.values import Configuration, Value
from recsweep.models.protocol import FamilyConfig
from recsweep.spaces.declared import DeclaredSpace

if TYPE_CHECKING:
    import optuna

EDGE = 0.05
"""A value this close to an end of its range, as a share of the range on its scale, is near it."""


class Space(DeclaredSpace):
    """The space of a family that serves the study's task. `files.py` reads and checks one."""

    config: type[FamilyConfig] = Field(exclude=True)
    epochs: int | None = Field(None, exclude=True)  # its fixed training length, if it has one

    def declared(self) -> DeclaredSpace:
        """Without the family's part, for the record."""
        names = DeclaredSpace.model_fields.keys() & self.model_fields_set
        return DeclaredSpace(**{name: getattr(self, name) for name in names})

    def first(self) -> dict[str, dict[str, Value]]:
        """The configurations that are tried first, in order and without the fixed values, by the
        key that gives them. A default that exists only with another choice is left out.
        """
        found = {"defaults": dict(self.defaults)}
        for number, changes in enumerate(self.first_trials):
            config = {**self.defaults, **changes}
            found[f"first_trials.{number}"] = {
                name: value
                for name, value in config.items()
                if name in changes
                or name not in self.parameters
                or self.parameters[name].active({**self.fixed, **config})
            }
        return found

    def suggest(self, trial: "optuna.Trial") -> dict[str, Value]:
        """Ask Optuna for a whole configuration, the fixed values included."""
        values: dict[str, Value] = {}
        for parameter in self.parameters.values():
            if parameter.active(values):
                values[parameter.name] = parameter.suggest(trial)
        return self.whole(values)

    def problems(self, config: Configuration) -> list[str]:
        """Say, one line each, why a configuration can't have come from this space."""
        found = []
        for p in self.parameters.values():
            if not p.active(config):
                if p.name in config:
                    found.append(f"{p.name} is set, but exists only when {p.condition}")
            elif p.name not in config:
                found.append(f"{p.name} is missing")
            elif problem := p.problem(config[p.name]):
                found.append(f"{p.name} = {problem}")
        for name, value in self.fixed.items():
            # Where it isn't in use it may stand all the same: studies from before `fixed_when`
            # recorded it there.
            missing = name not in config and self.in_use(name, config)
            if missing or config.get(name, value) != value:
                found.append(f"{name} is fixed to {value!r}, found {config.get(name)!r}")
        known = {*self.parameters, *self.fixed}
        found += [f"{name} is not in this space" for name in config if name not in known]
        return found or self._refusal(config)

    def _refusal(self, config: Configuration) -> list[str]:
        try:
            self.config.model_validate(dict(config))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            message = first["msg"].removeprefix("Value error, ")
            return [f"{self.family} refuses {where or 'the configuration'}: {message}"]
        return []

    def near_edge(self, config: Configuration) -> list[str]:
        """Warn of values near an end of their range, where widening it might help."""
        return [
            f"{name} = {config[name]:.4g} is at the {side} end of [{p.low:g}, {p.high:g}]: "
            "a wider range may hold a better one"
            for name, p in self.parameters.items()
            if name in config and (side := self.edge(name, config[name])) is not None
        ]

    def edge(self, name: str, value: Value) -> Literal["lower", "upper"] | None:
        """The end of its range that a value lies near (`EDGE`); None: neither, or one that the
        family itself can't pass (no dropout, one layer).
        """
        parameter = self.parameters[name]
        if parameter.choices or isinstance(value, str):
            return None
        position = parameter.position(value)
        if position <= EDGE:
            return None if self._is_limit(name, parameter.low) else "lower"
        if position >= 1 - EDGE:
            return None if self._is_limit(name, parameter.high) else "upper"
        return None

    def _is_limit(self, name: str, end: float) -> bool:
        bounds = self.config.model_fields[name].metadata
        return any(end in (getattr(b, "ge", None), getattr(b, "le", None)) for b in bounds)

    @property
    def size(self) -> float:
        """How many configurations there are; inf where a continuous parameter is among them."""
        parameters = self.parameters.values()
        switches = [p for p in parameters if any(p.name in q.when for q in parameters)]
        total = 0.0
        for values in product(*(p.values() for p in switches)):
            chosen = dict(zip((p.name for p in switches), values, strict=True))
            idle = [p for p in switches if not p.active(chosen)]
            if any(chosen[p.name] != p.values()[0] for p in idle):
                continue  # the same configuration again: a switch out of use has no value
            for p in idle:
                del chosen[p.name]
            others = (p for p in parameters if p not in switches and p.active(chosen))
            total += math.prod(p.size for p in others)
        return total
