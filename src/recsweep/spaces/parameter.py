"""One parameter of a search space."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import optuna

from recsweep.config.values import Configuration, Value

Kind = Literal["int", "float", "choice"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A range of whole numbers or of numbers, both ends included, or a choice."""

    name: str
    kind: Kind
    low: float  # of a range
    high: float
    choices: tuple[Value, ...]  # of a choice
    log: bool
    step: float | None
    when: Mapping[str, tuple[Value, ...]]  # other parameter -> its values with which this exists
    role: Literal["scientific", "nuisance"]
    why: str

    def active(self, values: Configuration) -> bool:
        """Does this parameter exist beside these values of the others?"""
        return all(
            name in values and _among(values[name], allowed) for name, allowed in self.when.items()
        )

    @property
    def condition(self) -> str:
        """`when`, in words."""
        return " and ".join(
            f"{name} is {' or '.join(map(str, allowed))}" for name, allowed in self.when.items()
        )

    def suggest(self, trial: optuna.Trial) -> Value:
        """Ask Optuna for a value."""
        if self.kind == "choice":
            chosen: Value = trial.suggest_categorical(self.name, self.choices)  # type: ignore[assignment]
            return chosen
        if self.kind == "int":
            step = int(self.step or 1)
            return trial.suggest_int(
                self.name, int(self.low), int(self.high), log=self.log, step=step
            )
        return trial.suggest_float(self.name, self.low, self.high, log=self.log, step=self.step)

    def problem(self, value: Value) -> str | None:
        """Say why `value` is none of this parameter's; None if it is one."""
        if self.kind == "choice":
            if _among(value, self.choices):
                return None
            return f"{value!r} is not among {list(self.choices)}"
        numbers = int if self.kind == "int" else int | float
        if isinstance(value, bool) or not isinstance(value, numbers):
            return f"{value!r} is not {'a whole number' if self.kind == 'int' else 'a number'}"
        if not self.low <= value <= self.high:
            return f"{value!r} is outside [{self.low:g}, {self.high:g}]"
        if self.step and not on_grid(value, self.low, self.step):
            return f"{value!r} is not a multiple of step {self.step:g} above {self.low:g}"
        return None

    def position(self, value: float) -> float:
        """Where a value lies between the ends, from 0 to 1, on the range's own scale."""
        if self.log:
            if value <= 0:  # no place on this scale; a record that was edited by hand
                return 0.0
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def values(self) -> tuple[Value, ...]:
        """Every value of a choice or of a range of whole numbers."""
        if self.kind == "choice":
            return self.choices
        return tuple(range(int(self.low), int(self.high) + 1, int(self.step or 1)))

    @property
    def size(self) -> float:
        """How many values there are; inf for a continuous range."""
        if self.kind != "float":
            return len(self.values())
        return round((self.high - self.low) / self.step) + 1 if self.step else math.inf


def on_grid(value: float, low: float, step: float) -> bool:
    """Is `value` a whole number of steps above `low`?"""
    steps = (value - low) / step
    return math.isclose(steps, round(steps), abs_tol=1e-9)


def _among(value: Value, allowed: tuple[Value, ...]) -> bool:
    # True == 1 in Python, yet they are different settings.
    return any(type(value) is type(other) and value == other for other in allowed)
