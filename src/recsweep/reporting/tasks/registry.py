"""What the report says of one task alone, asked by the task's name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from markupsafe import Markup

from recsweep.config.schema import task_packages
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.words import PAGE_WORDS

if TYPE_CHECKING:
    from recsweep.reporting.view import View


@dataclass(frozen=True, slots=True)
class TaskReport:
    """Every part may be left out."""

    means: str = "means are over {unit}."  # how, for the leaderboard
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language -> key -> words; they come before the page's own."""
    notes: Callable[["View"], list[str]] = lambda view: []
    """Sentences on the task's rules."""
    section: Callable[["View", Confirmation], Markup] = lambda view, sealed: Markup()
    """HTML that stands in the sealed test's section."""


@cache
def report_of(task: str) -> TaskReport:
    """The `REPORT` in `reporting/tasks/<task>/report.py`; of another package's task, in its module
    `report`, if it has one.
    """
    module = task_packages()[task].replace("recsweep.tasks.", "recsweep.reporting.tasks.")
    if find_spec(f"{module}.report") is None:
        return TaskReport()
    found: TaskReport = import_module(f"{module}.report").REPORT
    return found


def words_of(task: str, lang: str) -> Mapping[str, str]:
    """The page's words in a language, with the task's."""
    own = report_of(task).words
    return {**PAGE_WORDS[lang], **own.get(lang, own.get("en", {}))}
