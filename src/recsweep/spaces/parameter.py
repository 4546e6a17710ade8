"""One parameter of a search space: its range or choice, as a space file declares it."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from recsweep.config.schema import Schema
from recsweep.config.values import Configuration, OneValue, Value

if TYPE_CHECKING:
    import optuna

IntRange = tuple[int, int]
FloatRange = tuple[float, float]
Number = float  # `float` is a key below
KINDS = ("int", "float", "choice")
Conditions = Mapping[str, tuple[Value, ...]]
"""Other parameters, and their values beside which something exists."""


class Parameter(Schema):
    """A range of whole numbers or of numbers, both ends included, or a choice."""

    name: str = Field("", exclude=True)  # its key among the space's parameters
    int: IntRange | None = None
    float: FloatRange | None = None
    choice: tuple[OneValue, ...] | None = None
    log: bool = False
    step: Number | None = Field(None, gt=0)
    pow2: bool = False  # powers of two, all equally likely
    when: Mapping[str, tuple[OneValue, ...]] = {}  # other -> its values with which this exists
    role: Literal["scientific", "nuisance"]
    why: str = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _powers_have_a_log_scale(cls, raw: Any) -> Any:
        if isinstance(raw, Mapping) and raw.get("pow2") is True:
            return {"log": True, **raw}
        return raw

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of int, float, choice; found {', '.join(given) or 'none'}")
        if self.choice is not None:
            _check_choice(self.choice, self.log, self.step)
        elif self.pow2:
            _check_powers(self.int, self.log, self.step)
        else:
            _check_range(self.low, self.high, self.log, self.step, whole=self.int is not None)
        return self

    @property
    def declared(self) -> tuple[str, tuple[Value, ...]]:
        """Its kind, and its ends or values."""
        return next((kind, found) for kind in KINDS if (found := getattr(self, kind)) is not None)

    @property
    def low(self) -> Number:
        """The lower end of a range."""
        return (self.int or self.float or (0, 0))[0]

    @property
    def high(self) -> Number:
        """The upper end of a range."""
        return (self.int or self.float or (0, 0))[1]

    @property
    def choices(self) -> tuple[Value, ...]:
        """Of a choice; empty for a range."""
        return self.choice or ()

    def active(self, values: Configuration) -> bool:
        """Does this parameter exist beside these values of the others?"""
        return hold(self.when, values)

    @property
    def condition(self) -> str:
        """`when`, in words."""
        return " and ".join(
            f"{name} is {' or '.join(map(str, allowed))}" for name, allowed in self.when.items()
        )

    @property
    def rounded(self) -> bool:
        """Is what a sampler draws brought to a grid that Optuna has no distribution for?"""
        return self.pow2 or (self.log and self.step is not None)

    def to_grid(self, value: Value) -> Value:
        """The value that a drawn one stands for: itself, where Optuna knows the grid."""
        if not self.rounded or isinstance(value, str):
            return value
        return self.at(self.position(value))

    def distribution(self) -> "optuna.distributions.BaseDistribution":
        """As Optuna knows it."""
        from optuna.distributions import (
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        if self.choice is not None:
            return CategoricalDistribution(self.choice)
        step = None if self.rounded else self.step
        if self.int is not None:
            return IntDistribution(*self.int, log=self.log, step=int(step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=step)

    def suggest(self, trial: "optuna.Trial") -> Value:
        """Ask Optuna for a value."""
        if self.choice is not None:
            chosen: Value = trial.suggest_categorical(self.name, self.choice)  # type: ignore[assignment]
            return chosen
        step = None if self.rounded else self.step
        if self.int is not None:
            step = int(step or 1)
            return self.to_grid(trial.suggest_int(self.name, *self.int, log=self.log, step=step))
        return self.to_grid(
            trial.suggest_float(self.name, self.low, self.high, log=self.log, step=step)
        )

    def problem(self, value: Value) -> str | None:
        """Say why `value` is none of this parameter's; None if it is one."""
        if self.choice is not None:
            if _among(value, self.choice):
                return None
            return f"{value!r} is not among {list(self.choice)}"
        numbers = int if self.int is not None else int | float
        if isinstance(value, bool) or not isinstance(value, numbers):
            return f"{value!r} is not {'a whole number' if numbers is int else 'a number'}"
        if not self.low <= value <= self.high:
            return f"{value!r} is outside [{self.low:g}, {self.high:g}]"
        if self.pow2 and value not in self.values():
            return f"{value!r} is no power of two"
        off = self.step and not on_grid(value, self.low, self.step)
        return (
            f"{value!r} is not a multiple of step {self.step:g} above {self.low:g}" if off else None
        )

    def position(self, value: Value) -> Number:
        """Where a value lies between the ends, from 0 to 1, on the range's own scale."""
        if self.choice is not None:
            return self.choice.index(value) / (len(self.choice) - 1)
        number = float(value)
        if self.log:
            if number <= 0:  # no place on this scale; a record that was edited by hand
                return 0.0
            return math.log(number / self.low) / math.log(self.high / self.low)
        return (number - self.low) / (self.high - self.low)

    def at(self, position: Number) -> Value:
        """The value at a position from 0 to 1. Choices, powers of two and whole numbers have equal
        parts of it; on a log scale it is the nearest number of the grid.
        """
        if self.pow2 or self.choice is not None or (self.int is not None and not self.log):
            values = self.values()
            return values[min(math.floor(position * len(values)), len(values) - 1)]
        number: Number = (
            self.low * (self.high / self.low) ** position
            if self.log
            else self.low + position * (self.high - self.low)
        )
        if self.step is not None:
            number = self.low + round((number - self.low) / self.step) * self.step
        number = min(max(number, self.low), self.high)
        return round(number) if self.int is not None else number

    def values(self) -> tuple[Value, ...]:
        """Every value of a choice or of a range of whole numbers."""
        if self.choice is not None:
            return self.choice
        if self.pow2:
            return tuple(2**n for n in range(_exponent(self.low), _exponent(self.high) + 1))
        return tuple(range(int(self.low), int(self.high) + 1, int(self.step or 1)))

    @property
    def size(self) -> Number:
        """How many values there are; inf for a continuous range."""
        if self.float is None:
            return len(self.values())
        return round((self.high - self.low) / self.step) + 1 if self.step else math.inf


def hold(when: Conditions, values: Configuration) -> bool:
    """Has each of these parameters one of its values?"""
    return all(name in values and _among(values[name], allowed) for name, allowed in when.items())


def on_grid(value: float, low: float, step: float) -> bool:
    """Is `value` a whole number of steps above `low`?"""
    steps = (value - low) / step
    return math.isclose(steps, round(steps), abs_tol=1e-9)


def _among(value: Value, allowed: tuple[Value, ...]) -> bool:
    # True == 1 in Python, yet they are different settings.
    return any(type(value) is type(other) and value == other for other in allowed)


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
    if whole and step % 1:
        raise ValueError(f"the step of an int is a whole number, found {step}")
    if not on_grid(high, low, step):
        raise ValueError(f"step {step} does not lead from {low:g} to {high:g}")


def _check_powers(whole: IntRange | None, log: bool, step: float | None) -> None:
    if whole is None or step is not None or not log:
        raise ValueError("pow2 is for an int without step, on a log scale")
    low, high = whole
    if not 0 < low < high or any(end & (end - 1) for end in whole):
        raise ValueError(f"pow2: the ends of [{low}, {high}] should be two powers of two")


def _exponent(power: float) -> int:
    return int(power).bit_length() - 1
