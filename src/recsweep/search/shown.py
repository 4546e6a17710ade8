"""What a sampler is shown of an Optuna study, which reads its trials by a private method alone."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Container
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState


class ShownStudy(ABC):
    """An Optuna study with other trials than it has; all else is the study's own."""

    def __init__(self, study: optuna.Study) -> None:
        self._study = study

    def __getattr__(self, name: str) -> Any:
        return getattr(self._study, name)

    @abstractmethod
    def shown(self, trials: list[FrozenTrial]) -> list[FrozenTrial]:
        """In place of the study's own, which are not to be changed."""

    def _get_trials(
        self,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
        use_cache: bool = False,
    ) -> list[FrozenTrial]:
        own = self._study._get_trials(False, states=None, use_cache=use_cache)
        found = [trial for trial in self.shown(own) if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found
