"""The view that all sections share: the study, its selection, and the words to say it in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recsweep.config.schema import goodness, lower_is_better, written
from recsweep.config.values import Value
from recsweep.evaluation.verdict import PairVerdict
from recsweep.models.registry import titles
from recsweep.records.confirmation import Estimate
from recsweep.records.front_ends import end_names
from recsweep.records.selection import ENSEMBLE, Selection
from recsweep.records.study import Study, TrialRow
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.leaderboard import Row, rows
from recsweep.reporting.tasks.registry import Say, speaker, words_of

LONGEST_NAME = 20


@dataclass(frozen=True, slots=True)
class View:
    """A study as seen by readers of one language."""

    study: Study
    selection: Selection
    lang: str
    rows: tuple[Row, ...] = field(init=False)  # the leader first
    words: Mapping[str, str] = field(init=False)
    say: Say = field(init=False)  # a sentence or label in the reader's language
    marks: dict[str, Mark] = field(init=False)  # by the experiment's order: the same in any report
    titles: dict[str, str] = field(init=False)  # families as people read them, in a sentence

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", tuple(rows(self.study, self.selection)))
        words = words_of(self.study.experiment.task, self.lang)
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "say", speaker(self.study.experiment, self.lang))
        ends = dict(end_names(self.study.experiment))
        names = enumerate((*self.study.experiment.families, ENSEMBLE, *ends))
        object.__setattr__(self, "marks", {name: Mark(n) for n, name in names})
        kinds = {name: space.family for name, space in self.study.spaces.items()}
        kinds |= {end: kinds[name] for end, name in ends.items()}
        kinds.setdefault(ENSEMBLE, ENSEMBLE)
        object.__setattr__(self, "titles", titles(kinds, self.lang))

    def label(self, family: str) -> str:
        """A family's title where it begins a row."""
        return capitalised(self.titles[family])

    def term(self, word: str) -> str:
        """A word of the records; itself where the language has no entry for it."""
        plain = self.words.get(f"term:{word}", word)
        return self.words.get(f"term:{word}:{self.study.experiment.data.unit}", plain)

    @property
    def description(self) -> str:
        """What the experiment says of itself, in the reader's language if it speaks it."""
        experiment = self.study.experiment
        chinese = experiment.description_zh if self.lang == "zh" else ""
        return chinese or experiment.description

    @property
    def metric(self) -> str:
        """The study's metric as people write it."""
        return self.term(written(self.selection.metric))

    def goodness(self, value: float) -> float:
        """A score of the study's metric with the sign that makes more better."""
        return goodness(self.selection.metric, value)

    @property
    def lower_is_better(self) -> bool:
        """Of the study's metric."""
        return lower_is_better(self.selection.metric)

    @property
    def families(self) -> list[str]:
        """The leader first."""
        return [row.choice.family for row in self.rows]

    def trials(self, family: str) -> list[TrialRow]:
        """In the order of their numbers."""
        return self.study.trials_of(family)

    def cores(self) -> float:
        """CPU cores that one trial holds."""
        return self.study.experiment.resources.cpu


def capitalised(text: str) -> str:
    """With a capital where it begins; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def score(value: float) -> str:
    """Four decimals."""
    return f"{value:z.4f}"


def signed(value: float) -> str:
    """Four decimals with a sign; a true minus. What is left of sums that cancel is 0."""
    return f"{round(value, 7) + 0.0:+.4f}".replace("-", "−")


def setting(value: Value) -> str:
    """A parameter's value, floats to three digits."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def short(name: str, longest: int = LONGEST_NAME) -> str:
    """A name that fits into a figure."""
    return name if len(name) <= longest else name[: longest - 1] + "…"


def estimated(e: Estimate) -> str:
    """`0.0987 [0.0812, 0.1162]`."""
    return f"{score(e.mean)} [{score(e.lower)}, {score(e.upper)}]"


def interval(verdict: PairVerdict) -> str:
    """`+0.0120 [+0.0080, +0.0160]`, of the verdict's difference."""
    return signed_interval(verdict.difference, verdict.lower, verdict.upper)


def signed_interval(middle: float, lower: float, upper: float) -> str:
    """`+0.0120 [+0.0080, +0.0160]`, with the decimals that keep a bound from reading as 0."""
    values = [round(x, 7) for x in (middle, lower, upper)]  # what is left of sums that cancel is 0
    decimals = next((d for d in range(4, 7) if all(round(x, d) or not x for x in values)), 7)
    shown = [f"{x + 0.0:+.{decimals}f}".replace("-", "−") for x in values]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"
