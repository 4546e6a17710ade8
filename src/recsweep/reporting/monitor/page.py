"""The page of `recsweep monitor`: each topic's share by day, and the days of a warning."""

from datetime import date
from pathlib import Path

from markupsafe import Markup

from recsweep.errors import BadInput
from recsweep.evaluation.control_chart import RAISED, WITHIN
from recsweep.evaluation.monitoring import Monitored, Topic
from recsweep.records.atomic import write_text
from recsweep.reporting.charts.lines import BOTTOM, LEFT, TOP, axes
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, path, tag
from recsweep.reporting.html import asset, policy, template
from recsweep.reporting.tasks.registry import Say
from recsweep.reporting.words import MONITOR_WORDS

HEIGHT = 190.0
RIGHT = 14.0
OVERDISPERSED = 1.5
"""From such a dispersion of the reference period on, the page warns of more false alarms."""
USUAL, WARNED = Mark(0), Mark(1)


def write_monitor(found: Monitored, place: Path, lang: str = "en") -> Path:
    """Write the page; the same findings give the same bytes.

    Raises:
        BadInput: a language that the page isn't written in.
    """
    if lang not in MONITOR_WORDS:
        raise BadInput(f"language {lang!r} is not known; allowed: {', '.join(MONITOR_WORDS)}")
    words, style = MONITOR_WORDS[lang], asset("page.css")

    def say(key: str, **blanks: object) -> str:
        return words[key].format(**blanks)

    watching, label = found.watching, found.watching.label
    warned = [
        (topic.name, str(day), str(since), _around(say, topic, day))
        for topic, day, since in found.warnings
    ]
    page = template("monitor.html.j2").render(
        say=say,
        title=say("title", label=label, model=found.model),
        headline=say("headline" if warned else "headline_quiet", n=len(warned), label=label),
        note=say(
            "note",
            days=watching.reference_days,
            alarms=f"{watching.false_alarms:g}",
            raised=f"{RAISED:g}",
        ),
        style=style,
        policy=policy(style),
        warned=warned,
        topics=[
            (topic.name, _facts(say, topic), chart(say, topic, label)) for topic in found.topics
        ],
        unwatched=found.unwatched,
        left_out=found.left_out,
    )
    write_text(place, page)
    return place


def chart(say: Say, topic: Topic, label: str) -> Markup:
    """The share by day, its usual level, and a mark at every warning; no texts make a gap."""
    days, shares = (
        topic.days,
        [
            counted / texts if texts else None
            for counted, texts in zip(topic.counted.tolist(), topic.texts.tolist(), strict=True)
        ],
    )
    most = max((share for share in shares if share is not None), default=1.0)
    x = Scale(0, len(days) - 1, LEFT + 4, WIDTH - RIGHT)
    y = Scale(0.0, max(most, topic.chart.usual) * 1.06 or 1.0, HEIGHT - BOTTOM, TOP)
    ticks = [(x(at), f"{days[at]:%m-%d}") for at in sorted({0, topic.reference, len(days) - 1})]
    parts = [axes(x, y, HEIGHT, say("day"), say("share", label=label), [], RIGHT)]
    parts += [tag("text", t, x=at, y=HEIGHT - BOTTOM + 15, class_="tick middle") for at, t in ticks]
    level = [(x(0), y(topic.chart.usual)), (x(len(days) - 1), y(topic.chart.usual))]
    parts.append(tag("path", d=path(level), class_="level"))
    border = x(topic.reference - 0.5)
    parts.append(tag("path", d=path([(border, TOP), (border, HEIGHT - BOTTOM)]), class_="rule"))
    line = [None if share is None else (x(at), y(share)) for at, share in enumerate(shares)]
    parts.append(tag("path", d=path(line), class_=f"line {USUAL.colour}"))
    for day, _ in topic.warnings:
        at = days.index(day)
        title = tag("title", f"{day}: {_around(say, topic, day)}")
        parts.append(tag("g", title, WARNED.at(x(at), y(shares[at] or 0.0), 5)))
    return figure(HEIGHT, say("chart", topic=topic.name, label=label), *parts)


def _around(say: Say, topic: Topic, day: date) -> str:
    at = topic.days.index(day)
    return say("of", counted=int(topic.counted[at]), texts=int(topic.texts[at]))


def _facts(say: Say, topic: Topic) -> list[str]:
    fitted = topic.chart
    facts = [
        say("usual", share=f"{fitted.usual:.1%}", texts=f"{topic.texts.mean():.1f}"),
        say("power", power=f"{fitted.power:.0%}", days=WITHIN, raised=f"{RAISED:g}"),
    ]
    if fitted.dispersion > OVERDISPERSED:
        facts.append(say("dispersion", times=f"{fitted.dispersion:.1f}"))
    return facts
