"""What the report says of one task alone, asked by the task's name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from markupsafe import Markup

from recsweep.config.schema import Data, Experiment, task_packages
from recsweep.errors import BadInput
from recsweep.records.confirmation import Confirmation
from recsweep.reporting.words import PAGE_WORDS

if TYPE_CHECKING:
    from recsweep.reporting.view import View


Say = Callable[..., str]
"""A key of the words and what fills their blanks -> the text."""


@dataclass(frozen=True, slots=True)
class TaskReport:
    """Every part may be left out."""

    means: str = "means are over {unit}."  # how, for the leaderboard
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language -> key -> words; they come before the page's own."""
    methods: tuple[str, ...] = ()
    """English sentences of a paper's methods section on what an example is."""
    notes: Callable[["View"], list[str]] = lambda view: []
    """Sentences on the task's rules."""
    section: Callable[["View", Confirmation], Markup] = lambda view, sealed: Markup()
    """HTML that stands in the sealed test's section."""
    caveats: Callable[[Say, Confirmation], list[str]] = lambda *asked: []
    """What keeps the scores from meaning what they seem to, a sentence each."""
    plainly: Callable[[Say, Confirmation, Mapping[str, str]], str] = lambda *asked: ""
    """What scores mean to somebody who knows no metric, in a sentence; families as the study calls
    them and as people read them, the one that the question is about first."""


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
    """The page's words in a language, with the task's.

    Raises:
        BadInput: a language that they aren't written in.
    """
    if lang not in PAGE_WORDS:
        raise BadInput(f"language {lang!r} is not known; allowed: {', '.join(PAGE_WORDS)}")
    own = report_of(task).words
    return {**PAGE_WORDS[lang], **own.get(lang, own.get("en", {}))}


def speaker(experiment: Experiment, lang: str) -> Say:
    """The words of a study."""
    return speaker_of(words_of(experiment.task, lang), experiment.data)


def speaker_of(words: Mapping[str, str], data: Data) -> Say:
    """Words in which the blanks for what the data are of are filled, and a metric is called as in
    the reader's language; `key:sessions` goes before `key` where it is sessions that count.
    """

    def own(key: str) -> str:
        return words.get(f"{key}:{data.unit}", words[key])

    about = {name: own(name) for name in ("unit", "units", "measure")}
    about["data"] = words[f"read_{data.kind}"]

    def say(key: str, **blanks: object) -> str:
        if "metric" in blanks:
            blanks["metric"] = words.get(f"term:{blanks['metric']}", blanks["metric"])
        return own(key).format(**about, **blanks)

    return say


def listed(say: Say, things: Sequence[str], how: str = "list_and") -> str:
    """`a, b and c`; `how` is `list_and` or `list_or`."""
    *others, last = things
    return say(how, others=say("list_within").join(others), last=last) if others else last
