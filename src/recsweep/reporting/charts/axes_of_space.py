"""A family's parameters as axes, read from the space that the study recorded."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from recsweep.config.values import Value


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter's range or choice."""

    name: str
    low: float  # of a range
    high: float
    choices: tuple[Value, ...]  # of a choice
    log: bool
    step: float | None
    whole: bool
    conditional: bool

    def position(self, value: Value) -> float:
        """Where a value lies, from 0 to 1."""
        if self.choices:
            return self.choices.index(value) / (len(self.choices) - 1)
        number = float(value)
        if self.log:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def distribution(self) -> optuna.distributions.BaseDistribution:
        """As Optuna knows it."""
        if self.choices:
            return optuna.distributions.CategoricalDistribution(self.choices)
        if self.whole:
            step = int(self.step or 1)
            return optuna.distributions.IntDistribution(
                int(self.low), int(self.high), log=self.log, step=step
            )
        return optuna.distributions.FloatDistribution(
            self.low, self.high, log=self.log, step=self.step
        )


def axes_of_space(space: Mapping[str, Any]) -> list[Axis]:
    """In the order of the file."""
    out = []
    for name, keys in (space.get("parameters") or {}).items():
        low, high = keys.get("int") or keys.get("float") or (0, 0)
        out.append(
            Axis(
                name=name,
                low=low,
                high=high,
                choices=tuple(keys.get("choice") or ()),
                log=bool(keys.get("log")),
                step=keys.get("step"),
                whole="int" in keys,
                conditional=bool(keys.get("when")),
            )
        )
    return out
