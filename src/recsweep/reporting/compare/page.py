"""The page of `recsweep compare`: in the report's style, whole without a script."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from recsweep.errors import BadInput
from recsweep.records.atomic import write_text
from recsweep.records.selection import ENSEMBLE
from recsweep.reporting.charts.intervals import difference_cell, difference_scale, ends
from recsweep.reporting.charts.lines import BOTTOM, LEFT, NAMES, TOP, Line, line_chart
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.svg import WIDTH, Scale, nice_range
from recsweep.reporting.compare.study_change import StudyChange
from recsweep.reporting.compare.view import CompareView
from recsweep.reporting.html import asset, policy, template
from recsweep.reporting.view import capitalised, score, short, signed
from recsweep.reporting.words import COMPARE_WORDS

HEIGHT = 250.0


def write_comparison(changes: Sequence[StudyChange], path: Path, lang: str = "en") -> Path:
    """Write one page for all comparisons; the same inputs give the same bytes.

    Raises:
        BadInput: a language that the page isn't written in.
    """
    if lang not in COMPARE_WORDS:
        raise BadInput(f"language {lang!r} is not known; allowed: {', '.join(COMPARE_WORDS)}")
    views = [CompareView(change, lang) for change in changes]
    style = asset("page.css")
    first, *_ = views
    page = template("compare.html.j2").render(
        say=first.say,
        title=first.say("title", names=" – ".join([first.names[0], *(v.names[1] for v in views)])),
        style=style,
        policy=policy(style),
        comparisons=[_section(view) for view in views],
    )
    write_text(path, page)
    return path


def _section(view: CompareView) -> dict[str, Any]:
    change = view.change
    names = (*change.before.experiment.families, ENSEMBLE)
    marks = {name: Mark(n) for n, name in enumerate(names)}
    bounds = [bound for c in change.changes.values() for bound in (c.lower, c.upper)]
    x = difference_scale([*bounds, change.smallest_effect]) if bounds else None
    rows = [
        {
            "name": capitalised(view.title(row[0])),
            "swatch": marks[row[0]].swatch() if row[0] in marks else "",
            "plot": _cell(view, row[0], x) if x else "",
            "kind": change.changes[row[0]].outcome.split()[0] if row[0] in change.changes else "",
            "values": row[1:],
        }
        for row in view.rows()
    ]
    return {
        "view": view,
        "names": view.names,
        "rows": rows,
        "ends": ends(x, signed) if x else None,
        "picture": _picture(view, marks) if change.comparable else None,
        "pairs": view.pairs(),
        "differences": change.differences,
        "spaces": change.before.spaces is not None and change.after.spaces is not None,
    }


def _cell(view: CompareView, name: str, x: Scale) -> Markup:
    c = view.change.changes[name]
    return difference_cell(
        (c.difference, c.lower, c.upper), c.outcome, view.change.smallest_effect, x
    )


def _picture(view: CompareView, marks: dict[str, Mark]) -> Markup:
    means = view.change.means
    y = Scale(*nice_range([v for pair in means.values() for v in pair]), HEIGHT - BOTTOM, TOP)
    x = Scale(0, 1, LEFT + 30, WIDTH - NAMES - 6)
    marks = {view.title(name): marks[name] for name in means}
    shown = {view.title(name): pair for name, pair in means.items()}
    lines = [
        Line(marks[n], n, [(0, a), (1, b)], f"{n} {score(a)} → {score(b)}", markers=True)
        for n, (a, b) in shown.items()
    ]
    before, after = view.names
    return line_chart(
        lines,
        x,
        y,
        HEIGHT,
        label=view.say("picture", metric=view.metric, before=before, after=after),
        x_label="",
        y_label=view.metric,
        x_ticks=[(0.0, short(before, 14)), (1.0, short(after, 14))],
    )
