"""What an experiment file has to know of a task: its own key, its metrics, and what fits it.

A task is a package. Ours lie in `recsweep.tasks`; the package of another is named by an entry point
of the group `recsweep.tasks`. Its module `settings` holds a `QUESTION`, its module `task` a `TASK`.
They are imported when they are first asked for: this room lies below them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from recsweep.config.schema.base import Schema
from recsweep.config.schema.data import DataKind
from recsweep.config.schema.question import FoldRule
from recsweep.errors import BadInput, one_line

if TYPE_CHECKING:
    from recsweep.config.schema.experiment import Experiment

GROUP = "recsweep.tasks"
NEXT_ITEM, PURCHASE, TEXT, UPLIFT = "next_item", "purchase", "text", "uplift"
"""The tasks that families here serve, by their names: their folders', and in experiments."""


@dataclass(frozen=True, slots=True)
class MetricKind:
    """One figure of a task."""

    written: str  # as people write it
    lower_is_better: bool = False
    at_k: bool = False  # has a cut-off
    within: tuple[float, float] = (-math.inf, math.inf)  # what it can be
    decides: bool = True  # a mean over learners, by which a study can be decided
    additive: bool = True  # False: values of some learners alone mean nothing, only the mean of all
    beside: bool = True  # stands beside the study's own metric in tables

    @property
    def meaning(self) -> tuple[object, ...]:
        """What is true of it in any task."""
        return self.written, self.lower_is_better, self.at_k, self.within


@dataclass(frozen=True, slots=True)
class Question:
    """What a study of one task may say in its experiment file."""

    metrics: Mapping[str, MetricKind]
    metric: str  # that decides a study which names none
    settings: type[Schema] | None = None  # of the key that has the task's name
    reads: tuple[DataKind, ...] = ("events",)  # what it can be asked of
    treatment: bool = False  # is it about who was treated?
    folds: tuple[FoldRule, ...] = ("time",)  # the rules by which its examples may be split
    check: Callable[["Experiment"], None] = lambda experiment: None
    """Raises ValueError where another key doesn't fit."""


@cache
def task_packages() -> Mapping[str, str]:
    """Task -> the package that it lies in.

    Raises:
        BadInput: two have one name.
    """
    ours = find_spec(GROUP)
    assert ours is not None
    names = [m.name for m in iter_modules(ours.submodule_search_locations) if m.ispkg]
    found = {name: f"{GROUP}.{name}" for name in names}
    for point in entry_points(group=GROUP):
        if point.name in found:
            raise BadInput(
                f"the entry point {point.name} = {point.value} of {GROUP}: "
                f"the task's name is taken by {found[point.name]}"
            )
        found[point.name] = point.value
    return found


def part_of_task(name: str, module: str) -> Any:
    """A module of a task's package.

    Raises:
        BadInput: it can't be loaded.
    """
    place = f"{task_packages()[name]}.{module}"
    try:
        return import_module(place)
    except Exception as error:  # whatever an import of somebody else's may raise
        reason = f"{type(error).__name__}: {one_line(error)}"
        raise BadInput(f"the task {name}: {place} can't be loaded ({reason})") from None


def question_of(task: str) -> Question:
    """What a study of the task may say."""
    found: Question = part_of_task(task, "settings").QUESTION
    return found


def settings_of_tasks() -> Mapping[str, type[Schema]]:
    """Task -> the schema of the key that has its name."""
    found = {task: question_of(task).settings for task in task_packages()}
    return {task: settings for task, settings in found.items() if settings is not None}


@cache
def metric_kinds() -> Mapping[str, MetricKind]:
    """The metrics of all tasks.

    Raises:
        BadInput: two tasks mean something else by one name.
    """
    found: dict[str, MetricKind] = {}
    for task in task_packages():
        for name, kind in question_of(task).metrics.items():
            if found.setdefault(name, kind).meaning != kind.meaning:
                raise BadInput(f"the metric {name} means something else in task {task}")
            if kind.decides:
                found[name] = kind
    return found
