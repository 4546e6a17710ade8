"""`dashboards.json`: a W&B workspace and report as data of our own.

W&B's library builds neither without a login, so what they show is decided and kept here, and their
objects are made when they are published.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from recsweep.config.schema import Schema
from recsweep.errors import BadInput
from recsweep.records.atomic import write_text

NAME = "dashboards.json"


class Axis(Schema):
    """A number of a run: `config` or `summary`, and its name there."""

    section: Literal["config", "summary"]
    name: str
    log: bool = False


class LinePanel(Schema):
    """Curves over epochs; with `by`, a family's runs as their mean and range."""

    kind: Literal["line"] = "line"
    title: str
    metrics: tuple[str, ...]
    by: str | None = None  # a configuration key


class BarPanel(Schema):
    """One bar a group of runs."""

    kind: Literal["bar"] = "bar"
    title: str
    metric: str
    by: str
    take: Literal["max", "min", "sum"]


class ScatterPanel(Schema):
    """One point a run; with `best`, the highest or lowest so far from left to right."""

    kind: Literal["scatter"] = "scatter"
    title: str
    x: Axis
    y: Axis
    best: Literal["max", "min"] | None = None


class ParallelPanel(Schema):
    """One line a run through its parameters to its score."""

    kind: Literal["parallel"] = "parallel"
    title: str
    axes: tuple[Axis, ...]


class ImportancePanel(Schema):
    """Which parameters go with the score."""

    kind: Literal["importance"] = "importance"
    metric: str


Panel = Annotated[
    LinePanel | BarPanel | ScatterPanel | ParallelPanel | ImportancePanel,
    Field(discriminator="kind"),
]


class Grid(Schema):
    """Panels under a heading, over the runs of the study that `where` leaves."""

    title: str
    note: str = ""
    where: Mapping[str, str] = {}  # configuration key -> value
    panels: tuple[Panel, ...]


class Board(Schema):
    """What is published for one study: all of it built from the study's records."""

    project: str
    study: str  # the runs' group
    title: str  # of both; the server finds them by it again
    verdict: tuple[str, ...]  # paragraphs, the headline first
    tables: Mapping[str, str]  # heading -> a Markdown table
    grids: tuple[Grid, ...]


def write_board(board: Board, folder: Path) -> Path:
    """Write it beside the results."""
    path = folder / NAME
    write_text(path, board.model_dump_json(indent=1) + "\n")
    return path


def read_board(folder: Path) -> Board:
    """Read it back.

    Raises:
        BadInput: it is missing or not one of ours.
    """
    path = folder / NAME
    try:
        return Board.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadInput(f"{path}: is no definition of dashboards ({key or 'not JSON'})") from None
