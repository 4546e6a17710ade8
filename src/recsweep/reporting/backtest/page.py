"""The page of `recsweep backtest`: in the report's style, whole without a script."""

from collections.abc import Mapping
from pathlib import Path

from markupsafe import Markup

from recsweep.config.schema import Experiment
from recsweep.errors import BadInput
from recsweep.evaluation.verdict import PairVerdict
from recsweep.records.atomic import write_text
from recsweep.records.backtest import Arm, Backtest, Step
from recsweep.reporting.backtest.view import BacktestView, days
from recsweep.reporting.charts.intervals import difference_cell, difference_scale, ends
from recsweep.reporting.charts.lines import BOTTOM, LEFT, NAMES, TOP, Line, line_chart
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.svg import WIDTH, Scale, nice_range
from recsweep.reporting.html import asset, policy, template
from recsweep.reporting.view import score, signed, signed_interval
from recsweep.reporting.words import BACKTEST_WORDS

HEIGHT = 230.0
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
    scales = {pair: _scale(backtest, pair) for pair in gains}
    page = template("backtest.html.j2").render(
        view=view,
        say=view.say,
        style=style,
        policy=policy(style),
        marks={arm: Mark(n) for n, arm in enumerate(view.arms)},
        picture=_picture(view),
        gains=[(f"gain_{pair[0]}", ends(x, signed)) for pair, x in scales.items()],
        rows=[
            *(_row(str(s.number + 1), view.begins(s), s, scales) for s in backtest.steps),
            _row(view.say("all"), "", backtest, scales),
        ],
    )
    place = backtest_page(record, lang)
    write_text(place, page)
    return place


def _scale(backtest: Backtest, pair: tuple[Arm, Arm]) -> Scale:
    groups = (backtest.pairs, *(step.pairs for step in backtest.steps))
    found = [v for of in groups if (v := BacktestView.of_pair(of, *pair)) is not None]
    bounds = [bound for v in found for bound in v.lead]
    return difference_scale([*bounds, backtest.smallest_effect])


def _row(
    name: str, begins: str, of: Step | Backtest, scales: Mapping[tuple[Arm, Arm], Scale]
) -> tuple[object, ...]:
    """Of a step, or of all of them."""
    counted = f"{of.learners:,} / {of.targets:,}"
    scores = [score(value) for value in of.scores.values()]
    return name, begins, counted, scores, [_gain(of.pairs, *each) for each in scales.items()]


def _gain(
    pairs: tuple[PairVerdict, ...], pair: tuple[Arm, Arm], x: Scale
) -> tuple[Markup, str] | None:
    """The interval drawn and written; None: the two are the same models."""
    v = BacktestView.of_pair(pairs, *pair)
    if v is None:
        return None
    return difference_cell(v.lead, v.outcome, v.smallest_effect, x), signed_interval(*v.lead)


def _picture(view: BacktestView) -> Markup:
    b = view.backtest
    values = [value for step in b.steps for value in step.scores.values()]
    at = [days(step, b) for step in b.steps]
    x = Scale(at[0], at[-1], LEFT + 6, WIDTH - NAMES - 6)
    y = Scale(*nice_range(values), HEIGHT - BOTTOM, TOP)
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
        y,
        HEIGHT,
        label=view.say("picture", metric=view.metric),
        x_label=view.say("age_days"),
        y_label=view.metric,
        x_ticks=[(tick, f"{tick:g}") for tick in x.ticks()],
    )
