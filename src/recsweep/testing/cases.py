"""What is put to the test: a family on a task with one configuration, and how it is asked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsweep.config.values import Configuration, RecordedConfiguration, Value
from recsweep.data.types import Fold, Targets
from recsweep.errors import BadInput
from recsweep.models.family import Build, Family
from recsweep.models.histories import HistoryTable
from recsweep.models.protocol import Context
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.spaces.space import Space
from recsweep.tasks.registry import TASKS
from recsweep.testing.worlds import Settings, world

CPU = torch.device("cpu")
EPOCHS = 2


@dataclass(frozen=True)
class Case:
    """A family on a task with one configuration."""

    family: Family
    task: str
    config: RecordedConfiguration
    name: str = "given"  # of the configuration
    settings: Settings = field(default_factory=dict)  # of the task, where it can't do without

    def __str__(self) -> str:
        return f"{self.family.name} {self.task} {self.name}"

    @property
    def traits(self) -> Build[Any, Any]:
        """What the family says of its models for the task."""
        return self.family.tasks[self.task]

    @cached_property
    def fold(self) -> Fold:
        """That it is tested on."""
        return world(self.task, self.settings)

    def built(self, fold: Fold | None = None, seed: int = 0) -> Any:
        """An untrained model."""
        context = Context((fold or self.fold).training, seed, CPU, "fp32")
        return self.traits.model(self.config, context)

    def fitted(self, fold: Fold | None = None, seed: int = 0) -> Any:
        """A model after a few epochs."""
        model = self.built(fold, seed)
        for _ in range(self.traits.epochs or EPOCHS):
            model.fit_epoch()
        return model

    @cached_property
    def trained(self) -> tuple[Any, list[float | None]]:
        """A fitted model, to be asked and not to be changed, and the losses of its epochs."""
        model = self.built()
        return model, [model.fit_epoch() for _ in range(self.traits.epochs or EPOCHS)]

    @property
    def model(self) -> Any:
        """That model."""
        return self.trained[0]

    @cached_property
    def found(self) -> NDArray[Any]:
        """Its answers."""
        return self.answers(self.model)

    def answers(
        self, model: Any, targets: Targets | None = None, fold: Fold | None = None
    ) -> NDArray[Any]:
        """(n_targets, …) what a model says of a fold's targets, or of other ones."""
        fold, task = fold or self.fold, TASKS[self.task]
        targets = fold.validation if targets is None else targets
        if task.lists is None:
            return task.scorer(targets, fold.n_items, CPU).outcomes(model)
        rows, row = np.arange(len(targets.histories)), targets.sequence.astype(np.int64)
        histories = HistoryTable(targets.histories, CPU).histories(rows, row, targets.length)
        return np.asarray(model.score(histories).clone())  # finer than ranks


def cases_of(
    family: Family, task: str, settings: Settings = MappingProxyType({})
) -> Iterator[Case]:
    """The smallest models of the family's space: by its defaults, and with each other choice.

    Args:
        family: with a space.
        task: that it serves.
        settings: of the task, where an experiment has to give some.

    Raises:
        BadInput: the family brings no space for the task.
    """
    path = own_space(family, task)
    if path is None:
        raise BadInput(f"{family.name} comes without a space for task {task}")
    space = load_space(path, {family.name: family.tasks[task]})
    yield Case(family, task, _configuration(space, {}), "defaults", settings)
    for name, parameter in space.parameters.items():
        for choice in parameter.choices:
            config = _configuration(space, {name: choice})
            if choice != space.defaults.get(name) and name in config:
                yield Case(family, task, config, f"{name}={choice}", settings)


def _configuration(space: Space, asked: Configuration) -> dict[str, Value]:
    config: dict[str, Value] = {}
    for name, parameter in space.parameters.items():
        if parameter.active(config):
            _, (first, *_) = parameter.declared
            small = first if parameter.int else space.defaults.get(name, first)
            config[name] = asked.get(name, small)
    return space.whole(config)
