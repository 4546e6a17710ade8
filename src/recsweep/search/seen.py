"""Between a family's Optuna study and its sampler: earlier studies' trials stand before its own,
ranges are those of today, and what is drawn is brought to the space's grid before Optuna books it.
"""

import copy
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, cast

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from recsweep.config.schema import Cost
from recsweep.config.values import Configuration
from recsweep.records.earlier import EarlierStudy, EarlierTrial
from recsweep.search.earlier import score
from recsweep.search.goals import Both
from recsweep.search.shown import ShownStudy
from recsweep.spaces.space import Space

Ranges = Mapping[str, BaseDistribution]


def seeing(
    sampler: BaseSampler,
    space: Space,
    earlier: Sequence[EarlierStudy],
    lower_is_better: bool,
    *,
    widened: bool = False,
    cost: Cost | None = None,
) -> BaseSampler:
    """The sampler with all that; itself, where there is nothing to see and no such grid."""
    rounded = any(parameter.rounded for parameter in space.parameters.values())
    between = earlier or widened or rounded or cost
    return _Seeing(sampler, space, earlier, lower_is_better, cost) if between else sampler


class _Seeing(BaseSampler):
    """Hands a sampler of Optuna's the study as `_Seen` shows it."""

    def __init__(
        self,
        sampler: BaseSampler,
        space: Space,
        earlier: Sequence[EarlierStudy],
        lower_is_better: bool,
        cost: Cost | None,
    ) -> None:
        self._sampler, self._parameters, self._cost = sampler, space.parameters, cost
        self._ranges = {name: p.distribution() for name, p in space.parameters.items()}
        self._earlier = [
            [_frozen(trial, self._ranges, lower_is_better) for trial in study.trials]
            for study in earlier
        ]

    def _see(self, study: optuna.Study) -> optuna.Study:
        seen = cast(optuna.Study, _Seen(study, self._earlier, self._ranges))
        return seen if self._cost is None else cast(optuna.Study, Both(seen, self._cost))

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._sampler.infer_relative_search_space(self._see(study), trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        drawn = self._sampler.sample_relative(self._see(study), trial, search_space)
        return {name: self._parameters[name].to_grid(value) for name, value in drawn.items()}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        drawn = self._sampler.sample_independent(
            self._see(study), trial, param_name, param_distribution
        )
        return self._parameters[param_name].to_grid(drawn)


class _Seen(ShownStudy):
    """With more trials than the study has.

    Scores on other data stand on another level. So an earlier study's are moved by the mean
    difference over configurations that both have completed: the defaults and its best, once this
    study has tried them. Trials from before a range was widened show the range of today: of a
    parameter with two ranges, Optuna's joint samplers would draw by itself.
    """

    def __init__(
        self, study: optuna.Study, earlier: Sequence[Sequence[FrozenTrial]], ranges: Ranges
    ) -> None:
        super().__init__(study)
        self._ranges = ranges
        own = {
            _key(trial.params): trial.value
            for trial in study._get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        }
        self._earlier = [moved for trials in earlier for moved in _moved(trials, own)]

    def shown(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """The earlier ones, and today's."""
        return [*self._earlier, *map(self._today, trials)]

    def _today(self, trial: FrozenTrial) -> FrozenTrial:
        ranges = {name: self._ranges[name] for name in trial.distributions}
        if ranges == trial.distributions:
            return trial
        shown = copy.copy(trial)
        shown.distributions = ranges
        return shown


def _frozen(trial: EarlierTrial, ranges: Ranges, lower_is_better: bool) -> FrozenTrial:
    complete = trial.state == "complete"
    return create_trial(
        state=TrialState.COMPLETE if complete else TrialState.PRUNED,
        value=score(trial, lower_is_better) if complete else None,
        params=dict(trial.params),
        distributions={name: ranges[name] for name in trial.params},
        intermediate_values=dict(trial.values),
    )


def _moved(
    trials: Sequence[FrozenTrial], own: dict[tuple[tuple[str, Any], ...], float | None]
) -> list[FrozenTrial]:
    differences = [
        mine - trial.value
        for trial in trials
        if trial.value is not None and (mine := own.get(_key(trial.params))) is not None
    ]
    by = statistics.fmean(differences) if differences else 0.0
    found = []
    for trial in trials:
        moved = copy.copy(trial)
        moved.values = None if trial.value is None else [trial.value + by]
        moved.intermediate_values = {n: v + by for n, v in trial.intermediate_values.items()}
        found.append(moved)
    return found


def _key(params: Configuration) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(params.items()))
