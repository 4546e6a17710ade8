"""Floors of the task `uplift`: treat all, nobody, or those who are likeliest to buy anyway."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from torch import Tensor

from recsweep.config.schema import UPLIFT
from recsweep.data.types import Float64
from recsweep.models.families.gradient_boosting import Boosting, BoostingConfig
from recsweep.models.family import Build, Family
from recsweep.models.protocol import Context, FamilyConfig
from recsweep.models.uplift import UpliftBook

TREAT_ALL = "treat_all"


class Constant:
    """The same for everybody: 1 treats all that a budget allows, at random; 0 treats nobody."""

    def __init__(self, value: float, config: FamilyConfig, context: Context) -> None:
        self._value = value

    def fit_epoch(self) -> None:
        """Nothing to learn."""

    def uplift(self, book: UpliftBook) -> Float64:
        """(n_examples,)."""
        return np.full(len(book.targets), self._value)

    def state(self) -> dict[str, Tensor]:
        """Nothing."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Nothing to take over."""


class PredictedOutcome(Boosting):
    """The probability of a yes, whether or not there is a treatment, in place of a difference."""

    def uplift(self, book: UpliftBook) -> Float64:
        """(n_examples,)."""
        return self.probability(book.plain)


def _constant(value: float) -> Callable[[FamilyConfig, Context], Constant]:
    return partial(Constant, value)


_floor = partial(Family, role="floor")
_floor_build = partial(Build, epochs=1, reads_order=False)

FAMILIES = (
    _floor(
        name=TREAT_ALL,
        title_zh="全部施加干预",
        tasks={UPLIFT: _floor_build(FamilyConfig, _constant(1.0), random=False)},
    ),
    _floor(
        name="treat_none",
        title_zh="全不施加干预",
        tasks={UPLIFT: _floor_build(FamilyConfig, _constant(0.0), random=False)},
    ),
    _floor(
        name="predicted_outcome",
        title_zh="按预测结果",
        tasks={UPLIFT: _floor_build(BoostingConfig, PredictedOutcome, uses_features=True)},
    ),
)
