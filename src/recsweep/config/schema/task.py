"""What an experiment file has to know of a task: its own key, its metrics, and what fits it.

A task is a package. Ours lie in `recsweep.tasks`; the package of another is named by an entry point
of the group `recsweep.tasks`. Its module `settings` holds a `QUESTION`, its module `task` a `TASK`.
They are imported when they are first asked for: this room lies below them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from recsweep.config.schema.base import Schema
from recsweep.errors import BadInput

if TYPE_CHECKING:
    from recsweep.config.schema.experiment import Experiment

GROUP = "recsweep.tasks"


@dataclass(frozen=True, slots=True)
class MetricKind:
    """One figure of a task."""

    written: str  # as people write it
    lower_is_better: bool = False
    at_k: bool = False  # has a cut-off
    decides: bool = True  # a mean over learners, by which a study can be decided
    beside: bool = True  # stands beside the study's own metric in tables


@dataclass(frozen=True, slots=True)
class Question:
    """What a study of one task may say in its experiment file."""

    metrics: Mapping[str, MetricKind]
    metric: str  # that decides a study which names none
    settings: type[Schema] | None = None  # of the key that has the task's name
    sessions: bool = False  # can it be asked of a table of sessions?
    check: Callable[["Experiment"], None] = lambda experiment: None
    """Raises ValueError where another key doesn't fit."""


@cache
def task_packages() -> Mapping[str, str]:
    """Task -> the package that it lies in."""
    ours = find_spec(GROUP)
    assert ours is not None
    names = [m.name for m in iter_modules(ours.submodule_search_locations) if m.ispkg]
    others = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    return {name: f"{GROUP}.{name}" for name in names} | others


def part_of_task(name: str, module: str) -> Any:
    """A module of a task's package.

    Raises:
        BadInput: another package brings the task, and it can't be imported.
    """
    package = task_packages()[name]
    try:
        return import_module(f"{package}.{module}")
    except ImportError as error:
        raise BadInput(f"task {name}: {package} can't be loaded ({error})") from None


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
    """The metrics of all tasks; one that several tasks have means the same in each."""
    return {
        name: kind for task in task_packages() for name, kind in question_of(task).metrics.items()
    }
