"""What is put to the test: a family on a task with one configuration, and how it is asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from recsweep.config.values import Configuration, Value
from recsweep.data.types import Fold, Targets
from recsweep.errors import BadInput
from recsweep.models.cases import CaseBook
from recsweep.models.family import Build, Family
from recsweep.models.histories import HistoryTable
from recsweep.models.protocol import Context
from recsweep.spaces.bundled import own_space
from recsweep.spaces.files import load_space
from recsweep.spaces.space import Space
from recsweep.tasks.registry import TASKS
from recsweep.testing.worlds import world

CPU = torch.device("cpu")
EPOCHS = 2


@dataclass(frozen=True)
class Case:
    """A family on a task with one configuration."""

    family: Family
    task: str
    config: Configuration
    name: str = "given"  # of the configuration

    def __str__(self) -> str:
        return f"{self.family.name} {self.task} {self.name}"

    @property
    def traits(self) -> Build[Any, Any]:
        """What the family says of its models for the task."""
        return self.family.tasks[self.task]

    @property
    def fold(self) -> Fold:
        """That it is tested on."""
        return world(self.task)

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
    def model(self) -> Any:
        """A fitted one, to be asked and not to be changed."""
        return self.fitted()

    def answers(
        self, model: Any, targets: Targets | None = None, fold: Fold | None = None
    ) -> NDArray[Any]:
        """(n_targets, …) what a model says of a fold's targets, or of other ones."""
        fold = fold or self.fold
        targets, n_items = fold.validation if targets is None else targets, fold.n_items
        if hasattr(model, "score"):
            table = HistoryTable(targets.histories, CPU)
            rows = np.arange(len(targets.histories))
            scores = model.score(
                table.histories(rows, targets.sequence.astype(np.int64), targets.length)
            )
            return np.asarray(scores.clone())
        if hasattr(model, "probability"):
            return np.asarray(model.probability(CaseBook(targets, n_items, CPU)))
        return TASKS[self.task].scorer(targets, n_items, CPU).outcomes(model)


def cases_of(family: Family, task: str) -> Iterator[Case]:
    """The smallest models of the family's space: by its defaults, and with each other choice.

    Raises:
        BadInput: the family brings no space for the task.
    """
    path = own_space(family, task)
    if path is None:
        raise BadInput(f"{family.name} comes without a space for task {task}")
    space = load_space(path, {family.name: family.tasks[task]})
    yield Case(family, task, _configuration(space, {}), "defaults")
    for parameter in space.parameters:
        for choice in parameter.choices:
            if choice != space.defaults.get(parameter.name):
                config = _configuration(space, {parameter.name: choice})
                if parameter.name in config:
                    yield Case(family, task, config, f"{parameter.name}={choice}")


def _configuration(space: Space, asked: Configuration) -> dict[str, Value]:
    config: dict[str, Value] = dict(space.fixed)
    for p in space.parameters:
        if p.active(config):
            start = p.choices[0] if p.choices else p.low
            small = int(p.low) if p.kind == "int" else space.defaults.get(p.name, start)
            config[p.name] = asked.get(p.name, small)
    return config
