"""The page of `recsweep backtest`: in the report's style, whole without a script."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from recsweep.config.schema import Experiment
from recsweep.data.clock import DAY
from recsweep.errors import BadInput
from recsweep.records.atomic import write_text
from recsweep.records.backtest import Arm, Backtest, Step
from recsweep.reporting.backtest.view import BacktestView
from recsweep.reporting.charts.intervals import outcome_class
from recsweep.reporting.charts.lines import BOTTOM, LEFT, NAMES, TOP, Line, axes, line_chart
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, nice_range, path, tag
from recsweep.reporting.html import asset, policy, template
from recsweep.reporting.view import capitalised, score, signed_interval
from recsweep.reporting.words import BACKTEST_WORDS

HEIGHT, RIGHT = 230.0, 14.0
GAINS: tuple[tuple[Arm, Arm], ...] = (("refit", "never"), ("search", "refit"))


def backtest_page(record: Path, lang: str) -> Path:
    """Where it lies: beside the record."""
    return record.with_suffix(".html" if lang == "en" else f".{lang}.html")


def check_language(lang: str) -> None:
    """Refuse one that the page isn't written in.

    Raises:
        BadInput: it isn't.
    """
    if lang not in BACKTEST_WORDS:
        raise BadInput(f"language {lang!r} is not known; allowed: {', '.join(BACKTEST_WORDS)}")


def write_backtest_page(
    backtest: Backtest, experiment: Experiment, record: Path, lang: str
) -> Path:
    """Write the page; the same record gives the same bytes."""
    view, style = BacktestView(backtest, experiment, lang), asset("page.css")
    gains = [pair for pair in GAINS if pair[0] in backtest.scores]
    page = template("backtest.html.j2").render(
        view=view,
        say=view.say,
        style=style,
        policy=policy(style),
        count=capitalised(view.say("count")),
        marks={arm: Mark(n) for n, arm in enumerate(view.arms)},
        pictures=[_scores(view), *(_gains(view, pair) for pair in gains)],
        gains=[view.say(f"gain_{a}") for a, _ in gains],
        rows=[
            *(_row(view, view.name(step), step, gains) for step in backtest.steps),
            _row(view, view.say("all"), backtest, gains),
        ],
    )
    place = backtest_page(record, lang)
    write_text(place, page)
    return place


def _row(
    view: BacktestView, name: str, of: Step | Backtest, gains: Sequence[tuple[Arm, Arm]]
) -> tuple[object, ...]:
    """Of a step, or of all of them."""
    counted = f"{of.learners:,} / {of.targets:,}"
    found = [view.of_pair(of.pairs, *pair) for pair in gains]
    shown = [view.say("same_model") if v is None else signed_interval(*v.lead) for v in found]
    return name, counted, [score(value) for value in of.scores.values()], shown


def _axis(backtest: Backtest, right: float) -> tuple[list[float], Scale]:
    """Days since the first fit: each step's, and where they are drawn."""
    at = [(step.start - backtest.steps[0].start) / DAY for step in backtest.steps]
    return at, Scale(at[0], at[-1], LEFT + 8, WIDTH - right - 8)


def _ticks(x: Scale) -> list[tuple[float, str]]:
    return [(tick, f"{tick:g}") for tick in x.ticks()]


def _scores(view: BacktestView) -> Markup:
    """Each arm's mean in each step."""
    b = view.backtest
    at, x = _axis(b, NAMES)
    values = [value for step in b.steps for value in step.scores.values()]
    lines = [
        Line(
            Mark(n),
            view.say(arm),
            [(day, step.scores[arm]) for day, step in zip(at, b.steps, strict=True)],
            f"{view.say(arm)} {score(b.scores[arm])}",
            markers=True,
        )
        for n, arm in enumerate(view.arms)
    ]
    return line_chart(
        lines,
        x,
        Scale(*nice_range(values), HEIGHT - BOTTOM, TOP),
        HEIGHT,
        label=view.say("picture", metric=view.metric),
        x_label=view.say("age_days"),
        y_label=view.metric,
        x_ticks=_ticks(x),
    )


def _gains(view: BacktestView, pair: tuple[Arm, Arm]) -> Markup:
    """What the first arm is ahead of the second by in each step, with its interval."""
    b, label = view.backtest, view.say(f"gain_{pair[0]}")
    at, x = _axis(b, RIGHT)
    found = [view.of_pair(step.pairs, *pair) for step in b.steps]
    bounds = [bound for v in found if v is not None for bound in v.lead]
    ends = nice_range([*bounds, -b.smallest_effect, b.smallest_effect])
    y, edge = Scale(*ends, HEIGHT - BOTTOM, TOP), WIDTH - RIGHT
    margin = y(-b.smallest_effect) - y(b.smallest_effect)
    named = view.say("gain", pair=label, metric=view.metric)
    parts = [
        tag(
            "rect",
            x=LEFT,
            y=y(b.smallest_effect),
            width=edge - LEFT,
            height=margin,
            class_="too-small",
        ),
        axes(x, y, HEIGHT, view.say("age_days"), named, _ticks(x), RIGHT),
        tag("path", d=path([(LEFT, y(0.0)), (edge, y(0.0))]), class_="zero"),
    ]
    for day, step, v in zip(at, b.steps, found, strict=True):
        if v is not None:
            middle, lower, upper = v.lead
            kind, caps = (
                outcome_class(v.outcome),
                "".join(f"M{x(day) - 4:.1f} {y(end):.1f}h8" for end in (lower, upper)),
            )
            line = path([(x(day), y(lower)), (x(day), y(upper))])
            title = tag("title", f"{view.name(step)}: {signed_interval(*v.lead)}")
            whisker = tag("path", d=line + caps, class_=f"whisker {kind}")
            dot = tag("circle", cx=x(day), cy=y(middle), r=4.4, class_=f"estimate {kind}")
            parts.append(tag("g", title, whisker, dot))
    return figure(HEIGHT, named, *parts)
