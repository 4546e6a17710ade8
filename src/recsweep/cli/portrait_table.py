"""A learner portrait as the terminal shows it."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.markup import escape
from rich.table import Table

from recsweep.cli.console import counted
from recsweep.records.portrait import Portrait
from recsweep.reporting.sections.portraits import (
    Distinction,
    english,
    english_term,
    sentences,
    told_courses,
    told_levels,
    told_values,
)
from recsweep.reporting.view import short
from recsweep.stages.portrait.stage import Portrayed

LINES = 3
"""Courses, and other things, of each group."""
LONGEST = 24


def portrait_lines(portrayed: Portrayed, *, refitted: bool) -> Iterator[str]:
    """What was portrayed, and how far to trust the groups."""
    portrait = portrayed.portrait
    how = ", refitted on the development period" if refitted else " as it was fitted"
    again = "" if portrayed.fitted else "; nothing has changed since, so this is the last portrait"
    yield f"{portrait.family} ({portrait.trial}, {counted(portrait.epochs, 'epoch')}){how}{again}."
    yield from sentences(portrait, english)


def portrait_table(portrait: Portrait) -> Table:
    """One row a group, the largest first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_lines=False)
    table.add_column("group", justify="right", min_width=len("group"))
    table.add_column("learners", justify="right", no_wrap=True)
    table.add_column("courses", no_wrap=True)
    table.add_column("what else", no_wrap=True)
    for cluster in portrait.clusters:
        levels = told_levels(cluster, english, english_term)
        values = told_values(cluster, english)[: LINES - bool(levels)]
        table.add_row(
            str(cluster.cluster),
            f"{cluster.learners:,}\n{cluster.share:.0%}",
            _lines(told_courses(cluster, english)[:LINES]),
            _lines([*values, *levels[: LINES - len(values)]]),
            end_section=True,
        )
    return table


def _lines(things: Sequence[Distinction]) -> str:
    if not things:
        return english("portrait_nothing")
    return "\n".join(escape(f"{short(thing.what, LONGEST)} {thing.how}") for thing in things)
