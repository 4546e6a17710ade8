"""CMA-ES (Hansen 2016), by the package cmaes.

Optuna's own sampler keeps its state in the journal as a pickle. Here the state is made anew from
the trials each time, so that a resume and a replay need nothing but them.
"""

from typing import Any

import numpy as np
import optuna
from cmaes import CMA
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from recsweep.spaces.space import Space

STEP = 0.25
"""The first standard deviation, as a share of a range; Optuna begins with a sixth."""


class CmaEs(BaseSampler):
    """Ranges that always exist, each from 0 to 1 on its scale; all else is drawn at random.

    The distribution begins around the best of the first complete trials, and takes a step when
    another `population_size` of them are complete, in the order of their numbers.
    """

    def __init__(self, space: Space, seed: int) -> None:
        self._random, self._seed = RandomSampler(seed=seed), seed
        self._ranges = {
            name: p for name, p in space.parameters.items() if not p.choices and not p.when
        }

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The ranges that always exist."""
        if len(self._ranges) < 2:  # CMA-ES has nothing to adapt
            return {}
        return {name: p.distribution() for name, p in self._ranges.items()}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Draw from the distribution as it is after the trials so far."""
        sign = 1.0 if study.direction == StudyDirection.MINIMIZE else -1.0
        tried = [
            (np.array([p.position(done.params[n]) for n, p in self._ranges.items()]), sign * value)
            for done in study._get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
            if (value := done.value) is not None
        ]
        if not search_space or not tried:
            return {}
        n = len(self._ranges)
        size = 4 + int(3 * np.log(n))
        start, _ = min(tried[:size], key=lambda solution: solution[1])
        bounds = np.array([[0.0, 1.0]] * n)
        cma = CMA(start, STEP, bounds=bounds, seed=self._seed, population_size=size)
        for end in range(size, len(tried) + 1, size):
            cma.tell(tried[end - size : end])
        return {
            name: parameter.at(float(position))
            for (name, parameter), position in zip(self._ranges.items(), cma.ask(), strict=True)
        }

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A choice, or what exists beside some choices only: at random."""
        return self._random.sample_independent(study, trial, param_name, param_distribution)
