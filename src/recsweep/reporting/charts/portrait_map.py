"""Learners on two principal components, each group with a colour, a marker and its number."""

import numpy as np
from markupsafe import Markup

from recsweep.data.types import Float64, Int64
from recsweep.records.portrait import Portrait
from recsweep.reporting.charts.marks import Mark
from recsweep.reporting.charts.svg import WIDTH, Scale, figure, tag
from recsweep.reporting.view import View

HEIGHT = 300.0
LEFT, RIGHT, TOP, BOTTOM = 16.0, 8.0, 8.0, 20.0
MOST = 800
"""Learners that are drawn: more would hide each other, and make the page heavy."""
SEED = 0


def portrait_map(view: View, portrait: Portrait, cluster: Int64, at: Float64) -> Markup:
    """Some of the learners, drawn at random; both axes have one scale."""
    chosen = np.random.default_rng(SEED).permutation(len(at))[:MOST]
    x, y = _scales(at)
    dots = [
        Mark(int(cluster[n]) - 1).at(x(float(at[n, 0])), y(float(at[n, 1])), 2.6, "mark faint")
        for n in chosen
    ]
    first, second = (
        view.say("portrait_component", n=n, share=f"{share:.0%}")
        for n, share in enumerate(portrait.explained_variance, 1)
    )
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turn = f"rotate(-90 9 {middle:.0f})"
    words = [
        tag("text", first, x=(LEFT + WIDTH - RIGHT) / 2, y=HEIGHT - 5, class_="tick middle"),
        tag("text", second, x=9.0, y=middle, transform=turn, class_="tick middle"),
    ]
    for number in np.unique(cluster):
        x_middle, y_middle = np.median(at[cluster == number], axis=0)
        place = {"x": x(float(x_middle)), "y": y(float(y_middle)) + 4}
        words.append(tag("text", str(number), class_="value middle", **place))
    label = view.say(
        "portrait_map_label", family=view.label(portrait.family), groups=len(portrait.clusters)
    )
    return figure(HEIGHT, label, *dots, *words)


def _scales(at: Float64) -> tuple[Scale, Scale]:
    low, high = at.min(axis=0), at.max(axis=0)
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    unit = max((high[0] - low[0]) / wide, (high[1] - low[1]) / tall)
    middle = (low + high) / 2
    half = np.array([wide, tall]) / 2 * unit
    a, b = middle - half, middle + half
    return (
        Scale(float(a[0]), float(b[0]), LEFT, WIDTH - RIGHT),
        Scale(float(a[1]), float(b[1]), HEIGHT - BOTTOM, TOP),
    )
