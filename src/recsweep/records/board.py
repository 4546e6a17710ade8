"""`dashboards.json`: what a study's W&B workspace and report are made of, until they are published.

W&B's library builds neither without a login.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from recsweep.config.schema import Schema
from recsweep.errors import BadInput
from recsweep.records.atomic import write_text

NAME = "dashboards.json"


class Board(Schema):
    """What is published for one study: all of it comes from the study's records."""

    project: str
    study: str  # the runs' group
    title: str  # of both; the server finds them by it again
    metric: str
    lower_is_better: bool
    folds: int
    tuned: Mapping[str, Mapping[str, bool]]  # family -> its parameters -> on a log scale?
    losses: tuple[str, ...] = ("loss",)  # keys of the training losses, a panel each
    compared: tuple[str, ...] = ()  # networks and baselines, whom the question is about
    question: str = ""
    verdict: tuple[str, ...]  # paragraphs, the headline first
    tables: Mapping[str, str] = {}  # heading -> a Markdown table


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
