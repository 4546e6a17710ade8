"""Samplers that look at no score: what a trial tries follows from its place among its family's.

Optuna's own keep count in the storage, so that a driver's death shifts it, and don't know of
parameters that exist beside some choices only.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from recsweep.config.values import Configuration, Value
from recsweep.errors import BadInput
from recsweep.spaces.parameter import Parameter
from recsweep.spaces.space import Space

MOST_CELLS = 20_000
"""Of a grid; a space with more is no place for one."""


class Design(BaseSampler):
    """Proposes the point with the trial's place, the first configurations aside."""

    def __init__(self, space: Space) -> None:
        self._parameters = space.parameters

    @abstractmethod
    def point(self, place: int) -> Configuration:
        """A value for every parameter that is in use, and perhaps for others."""

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """All parameters; those out of use are not asked for."""
        return {name: p.distribution() for name, p in self._parameters.items()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The point of the trial's place."""
        trials = study._get_trials(deepcopy=False)
        number = 1 + max((t.user_attrs.get("number", -1) for t in trials), default=-1)
        return dict(self.point(max(0, number - _first(trials))))

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Never: every parameter that is in use has a value already."""
        raise AssertionError(f"{param_name} is in every point")


class Sobol(Design):
    """A scrambled Sobol sequence over all parameters (Owen 1998)."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space)
        self._seed = seed

    def point(self, place: int) -> Configuration:
        """Of the sequence."""
        from scipy.stats import qmc  # takes a third of a second, which no other sampler needs

        sequence = qmc.Sobol(len(self._parameters), rng=np.random.default_rng(self._seed))
        if place:
            sequence.fast_forward(place)
        positions = sequence.random(1)[0]
        return {
            name: parameter.at(float(position))
            for (name, parameter), position in zip(self._parameters.items(), positions, strict=True)
        }


class Grid(Design):
    """Every combination of values, in an order drawn at random."""

    def __init__(self, space: Space, levels: int, seed: int) -> None:
        super().__init__(space)
        self._cells = cells(space, levels)
        np.random.default_rng(seed).shuffle(self._cells)

    def point(self, place: int) -> Configuration:
        """A cell that no earlier place had."""
        return self._cells[place]


def cells(space: Space, levels: int) -> list[Configuration]:
    """Every configuration of a grid, without the fixed values.

    Raises:
        BadInput: there are more than `MOST_CELLS`.
    """
    found: list[Configuration] = []
    for cell in _cells(list(space.parameters.values()), {}, levels):
        found.append(cell)
        if len(found) > MOST_CELLS:
            raise BadInput(
                f"search.sampler: a grid of {space.family} with {levels} levels has more than "
                f"{MOST_CELLS} configurations; lower search.levels or fix parameters in its space"
            )
    return found


def _cells(
    parameters: list[Parameter], chosen: dict[str, Value], levels: int
) -> Iterator[Configuration]:
    if not parameters:
        yield chosen
        return
    parameter, *others = parameters
    if not parameter.active(chosen):
        yield from _cells(others, chosen, levels)
        return
    values = parameter.choices or dict.fromkeys(
        parameter.at(level / (levels - 1)) for level in range(levels)
    )
    for value in values:
        yield from _cells(others, {**chosen, parameter.name: value}, levels)


def check_grid(space: Space, levels: int, trials: Iterable[FrozenTrial], target: int) -> None:
    """Refuse a grid that is too small.

    Args:
        space: of a family.
        levels: values of each range.
        trials: of the family, the first configurations among them.
        target: that it is to have.

    Raises:
        BadInput: some of its trials would have nothing to try, or see `cells`.
    """
    first, size = _first(trials), len(cells(space, levels))
    if space.parameters and target > first + size:
        raise BadInput(
            f"search.sampler: a grid of {space.family} with {levels} levels has {size} "
            f"configurations, and {first} are tried before it, too few for {target} trials; raise "
            "search.levels or lower budget.trials"
        )


def _first(trials: Iterable[FrozenTrial]) -> int:
    """How many were told what to try before the sampler was asked."""
    return sum("fixed_params" in trial.system_attrs for trial in trials)
