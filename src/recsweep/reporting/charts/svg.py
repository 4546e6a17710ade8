"""Inline SVG from small functions: elements, scales, ticks and labels that keep apart.

Every figure is drawn 360 units wide, the width of a phone, so that its text stays readable there.
Colours and type are the page's style sheet's; here are only classes. A figure that names its
scales is drawn again by the page's script (`templates/charts.js`) as wide as there is room.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH = 360.0
MOST_TICKS = 6
STEPS = (5, 2.5, 2, 1)  # no two lie so far apart that there would be two ticks, or seven
STEPS_OF_WHOLE = (5, 4, 2, 1)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps `[low, high]` to pixels `[start, end]`; values beyond are mapped beyond."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The position of a value; an empty range puts everything in the middle."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, *, whole: bool = False) -> list[float]:
        """Three to six round values within the range; fewer only where a whole one is lacking."""
        if self.high <= self.low:
            return [self.low]
        return self._log_ticks() if self.log else self._linear_ticks(whole)

    def _linear_ticks(self, whole: bool = False) -> list[float]:
        """Multiples of a round step, four to six of them rather than three."""
        power = math.floor(math.log10(self.high - self.low))
        steps = STEPS_OF_WHOLE if whole else STEPS
        best: list[float] = []
        for step in (m * 10.0**p for p in (power, power - 1) for m in steps):
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            if (whole and step < 1) or last - first >= MOST_TICKS or len(best) > 3:
                break
            best = [n * step for n in range(first, last + 1)]
        return best

    def _log_ticks(self) -> list[float]:
        lowest, highest = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for steps in ((1,), (1, 3), (1, 2, 5)):
            found = [m * 10.0**p for p in range(lowest, highest + 1) for m in steps]
            found = [v for v in found if self.low * 0.999 <= v <= self.high * 1.001]
            if len(found) >= 3:
                return found[:: math.ceil(len(found) / MOST_TICKS)]
        return self._linear_ticks()

    def written(self) -> str:
        """For the page's script: `low high start end`, and `log` where it is one."""
        ends = f"{self.low:.7g} {self.high:.7g} {self.start:.1f} {self.end:.1f}"
        return f"{ends} log" if self.log else ends


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """An element. Text is escaped; `class_` and `stroke_width` lose and change their underscores.

    An attribute that is None is left out; floats keep one decimal.
    """
    written = [
        f' {key.rstrip("_").replace("_", "-")}="{escape(_attribute(value))}"'
        for key, value in attributes.items()
        if value is not None
    ]
    inside = Markup("").join(children)
    return Markup(f"<{name}{''.join(written)}>{inside}</{name}>")


def figure(height: float, label: str, *children: str, **attributes: object) -> Markup:
    """An SVG that a screen reader reads as one image; attributes as in `tag`."""
    box = f"0 0 {_attribute(WIDTH)} {_attribute(height)}"
    return tag("svg", *children, viewBox=box, role="img", aria_label=label, **attributes)


def place(x: float, y: float) -> str:
    """A `transform` that puts what is drawn around (0, 0) there."""
    return f"translate({_attribute(float(x))} {_attribute(float(y))})"


def path(points: Sequence[Point | None]) -> str:
    """A path's `d`; None lifts the pen."""
    out, down = [], False
    for point in points:
        if point is None:
            down = False
            continue
        out.append(f"{'L' if down else 'M'}{_attribute(point[0])} {_attribute(point[1])}")
        down = True
    return "".join(out)


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move label positions as little as needed for `gap` between them, within `[low, high]`."""
    order = sorted(range(len(wanted)), key=lambda n: wanted[n])
    placed: list[float] = []
    for n in order:
        placed.append(max(wanted[n], placed[-1] + gap if placed else low))
    ceiling = high
    for k in reversed(range(len(placed))):
        placed[k] = min(placed[k], ceiling)
        ceiling = placed[k] - gap
    out = [0.0] * len(wanted)
    for n, position in zip(order, placed, strict=True):
        out[n] = position
    return out


def nice_range(values: Sequence[float], margin: float = 0.06) -> tuple[float, float]:
    """The values' range with some air; never empty."""
    low, high = min(values), max(values)
    air = (high - low) * margin or abs(high) * 0.1 or 1.0
    return low - air if low - air > 0 or low < 0 else 0.0, high + air


def _attribute(value: object) -> object:
    if isinstance(value, float):
        text = f"{value:.1f}".removesuffix(".0")
        return "0" if text == "-0" else text
    return value
