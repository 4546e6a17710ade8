"""One colour, one dash and one marker a family, so that no figure leans on colour alone.

Colours are those of Okabe and Ito (2008), set in the page's style sheet by class; black comes last
and turns white in the dark, yellow is left out, as it is lost on white.
"""

import math
from dataclasses import dataclass

from markupsafe import Markup

from recsweep.reporting.charts.svg import place, tag

COLOURS = 7
DASHES = (None, "7 3", "2 2.5", "9 3 2 3", "5 2", "1 3", "12 3")
CORNERS = {"square": (4, 45), "diamond": (4, 0), "up": (3, 0), "down": (3, 180), "hexagon": (6, 30)}
SHAPES = ("circle", "square", "up", "diamond", "down", "hexagon", "cross")


@dataclass(frozen=True, slots=True)
class Mark:
    """How a family is drawn; an eighth one has the first one's colour with another dash."""

    index: int

    @property
    def colour(self) -> str:
        """Its class in the style sheet."""
        return f"c{self.index % COLOURS}"

    @property
    def dash(self) -> str | None:
        """Its stroke-dasharray; None: a full line."""
        return DASHES[(self.index + self.index // COLOURS) % len(DASHES)]

    def at(self, x: float, y: float, size: float = 4.0, class_: str = "mark") -> Markup:
        """Its marker, centred at (x, y)."""
        shape = SHAPES[(self.index + self.index // COLOURS) % len(SHAPES)]
        classes, there = f"{class_} {self.colour}", place(x, y)
        if shape == "circle":
            return tag("circle", r=size * 0.95, class_=classes, transform=there)
        if shape == "cross":
            return tag("path", d=arms(size), class_=f"{classes} arms", transform=there)
        corners, turn = CORNERS[shape]
        angles = [math.radians(turn - 90 + 360 * n / corners) for n in range(corners)]
        radius = size * (1.25 if corners < 6 else 1.05)
        points = " ".join(f"{radius * math.cos(a):.1f},{radius * math.sin(a):.1f}" for a in angles)
        return tag("polygon", points=points, class_=classes, transform=there)

    def swatch(self) -> Markup:
        """Line and marker as a key for tables and check boxes."""
        line = tag("path", d="M0 7H26", class_=f"line {self.colour}", stroke_dasharray=self.dash)
        return tag(
            "svg",
            line,
            self.at(13.0, 7.0, 4.2),
            viewBox="0 0 26 14",
            class_="swatch",
            aria_hidden="true",
        )


def arms(size: float) -> str:
    """The `d` of a cross around (0, 0)."""
    return "".join(f"M-{size:.1f} {s * size:.1f}L{size:.1f} {-s * size:.1f}" for s in (1, -1))
