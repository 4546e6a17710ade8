"""Learner portraits as people read them: how far to trust the groups, and what is told of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from recsweep.data.types import Float64, Int64
from recsweep.evaluation.portrait.clusters import FEW, MANY, NO_STRUCTURE
from recsweep.evaluation.portrait.lift import PRIOR, SUPPORT
from recsweep.records.portrait import Cluster, Level, Lifted, Portrait, ValueLift
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.portrait_map import MOST, portrait_map
from recsweep.reporting.view import View
from recsweep.reporting.words import PAGE_WORDS

SMALL = 0.2
"""Standard deviations below which a mean is not told of (Cohen 1988: a small effect)."""
TOLD = 5
"""Entries of each kind."""

Say = Callable[..., str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A portrait, and where each learner lies."""

    portrait: Portrait
    cluster: Int64  # (n_learners,) from 1
    at: Float64  # (n_learners, 2)


@dataclass(frozen=True, slots=True)
class Distinction:
    """One thing that sets a group apart."""

    what: str
    how: str  # `×2.1`, `−0.3 sd`
    note: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group."""

    swatch: Markup
    number: int
    learners: str
    courses: list[Distinction]
    values: list[Distinction]
    levels: list[Distinction]


@dataclass(frozen=True, slots=True)
class PortraitView:
    """One family's portrait; hidden with the family."""

    index: int
    family: str
    swatch: Markup
    sentences: list[str]
    drawn: Markup
    caption: str
    rows: list[GroupRow]


def portrait_section(view: View, portraits: Sequence[Drawn]) -> dict[str, Any]:
    """What the template shows."""
    key = view.say("portrait_key", prior=f"{PRIOR:g}", support=SUPPORT, small=SMALL)
    return {"portraits": [_view(view, drawn) for drawn in portraits], "portrait_key": key}


def sentences(portrait: Portrait, say: Say) -> Iterator[str]:
    """How many learners and groups there are, how clear the groups are, how stable."""
    learners, groups = f"{portrait.learners:,}", len(portrait.clusters)
    if groups == 1:
        yield say("portrait_single", learners=learners)
        return
    tried = {"low": FEW, "high": max(portrait.silhouettes, default=MANY)}
    how = "portrait_chosen" if portrait.asked is None else "portrait_asked"
    yield say(how, learners=learners, groups=groups, **tried)
    if portrait.silhouette is None:
        yield say("structure_unknown")
    else:
        value = f"{portrait.silhouette:.2f}"
        yield say(f"structure_{portrait.structure}", silhouette=value, bound=f"{NO_STRUCTURE:g}")
    if portrait.stability is not None:
        yield say("portrait_stability", stability=f"{portrait.stability:.2f}")


def told_courses(cluster: Cluster, say: Say) -> list[Distinction]:
    """The courses that are most over-represented."""
    return [_lifted(c.label or c.id, c, say) for c in cluster.courses[:TOLD]]


def told_values(cluster: Cluster, say: Say) -> list[Distinction]:
    """Categories and tags, of learners and of their courses."""
    return [_lifted(_value(v, say), v, say) for v in cluster.values[:TOLD]]


def told_levels(cluster: Cluster, say: Say, term: Callable[[str], str]) -> list[Distinction]:
    """Numbers whose mean is not about that of all learners."""
    far = [level for level in cluster.levels if abs(level.standardised) >= SMALL]
    return [_level(level, say, term) for level in far[:TOLD]]


def english(key: str, **values: object) -> str:
    """What the terminal says."""
    return PAGE_WORDS["en"][key].format(**values)


def english_term(word: str) -> str:
    """A word of the records."""
    return PAGE_WORDS["en"].get(f"term:{word}", word)


def _view(view: View, drawn: Drawn) -> PortraitView:
    portrait, mark = drawn.portrait, view.marks[drawn.portrait.family]
    return PortraitView(
        index=mark.index,
        family=view.label(portrait.family),
        swatch=mark.swatch(),
        sentences=list(sentences(portrait, view.say)),
        drawn=portrait_map(view, portrait, drawn.cluster, drawn.at),
        caption=view.say(
            "portrait_map",
            shown=f"{min(MOST, portrait.learners):,}",
            all=f"{portrait.learners:,}",
        ),
        rows=[
            GroupRow(
                swatch=Mark(cluster.cluster - 1).swatch(),
                number=cluster.cluster,
                learners=f"{cluster.learners:,} ({cluster.share:.0%})",
                courses=told_courses(cluster, view.say),
                values=told_values(cluster, view.say),
                levels=told_levels(cluster, view.say, view.term),
            )
            for cluster in portrait.clusters
        ],
    )


def _lifted(what: str, lifted: Lifted, say: Say) -> Distinction:
    note = say(
        "portrait_lift_note",
        learners=f"{lifted.learners:,}",
        share=f"{lifted.share:.0%}",
        overall=f"{lifted.overall:.0%}" if lifted.overall >= 0.01 else f"{lifted.overall:.1%}",
    )
    return Distinction(what, say("portrait_lift", lift=f"{lifted.lift:.1f}"), note)


def _value(lifted: ValueLift, say: Say) -> str:
    return say(f"portrait_value_{lifted.table}", column=lifted.column, value=lifted.value)


def _level(level: Level, say: Say, term: Callable[[str], str]) -> Distinction:
    column = term(level.column) if level.table == "history" else level.column
    apart = f"{level.standardised:+.1f}".replace("-", "−")
    return Distinction(
        what=say(f"portrait_level_{level.table}", column=column),
        how=say("portrait_level", standardised=apart),
        note=say("portrait_level_note", mean=_number(level.mean), overall=_number(level.overall)),
    )


def _number(value: float) -> str:
    """Three digits, or as many as stand before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
