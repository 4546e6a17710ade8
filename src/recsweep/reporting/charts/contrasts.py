"""The answer as a picture: one interval a declared comparison, above 0 in favour of the first."""

from markupsafe import Markup

from recsweep.reporting.answer import Answer, Contrast
from recsweep.reporting.charts.intervals import outcome_class, whisker
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, tag

ROW, FOOT, PLOT, INSET = 33.0, 24.0, 200.0, 8.0


def contrasts_chart(answer: Answer, label: str, axis: str) -> Markup:
    """Of an answer that has contrasts.

    Args:
        answer: of one study.
        label: what it shows, for who can't see it; the numbers are added.
        axis: what the numbers are.
    """
    bounds = [abs(bound) for c in answer.contrasts for bound in c.verdict.lead]
    widest = max(*bounds, answer.margin)
    x = Scale(-widest, widest, INSET, PLOT - INSET)
    bottom = ROW * len(answer.contrasts)
    left, right = x(-answer.margin), x(answer.margin)
    parts = [
        tag("rect", x=left, y=12.0, width=right - left, height=bottom - 10, class_="too-small"),
        tag("path", d=f"M{x(0):.1f} 12V{bottom + 2:.1f}", class_="zero"),
    ]
    for tick in x.ticks():
        parts.append(tag("path", d=f"M{x(tick):.1f} {bottom + 2:.1f}v4", class_="axis"))
        text = f"{tick + 0.0:+g}".replace("-", "−") if tick else "0"
        parts.append(tag("text", text, x=x(tick), y=bottom + 16, class_="tick middle"))
    parts.append(tag("text", axis, x=WIDTH, y=bottom + 16, class_="tick end"))
    parts += [_row(c, x, n * ROW) for n, c in enumerate(answer.contrasts)]
    told = "; ".join(f"{c.pair} {c.numbers}, {c.how}" for c in answer.contrasts)
    return figure(bottom + FOOT, f"{label}: {told}", *parts)


def _row(contrast: Contrast, x: Scale, top: float) -> Markup:
    kind, (lead, lower, upper) = outcome_class(contrast.verdict.outcome), contrast.verdict.lead
    middle = top + 22
    return tag(
        "g",
        tag("text", contrast.pair, x=0.0, y=top + 11, class_="name"),
        tag("text", contrast.how, x=WIDTH, y=top + 11, class_=f"end {kind}"),
        tag("path", d=whisker(x(lower), x(upper), middle), class_=f"whisker {kind}"),
        tag("circle", cx=x(lead), cy=middle, r=4.4, class_=f"estimate {kind}"),
        tag("text", contrast.numbers, x=WIDTH, y=middle + 4, class_="end"),
    )
