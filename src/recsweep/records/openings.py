"""`openings.json`: every time that a study's sealed test was opened, written before it is read."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from recsweep.config.files import validate
from recsweep.config.schema import Schema
from recsweep.config.values import RecordedConfiguration
from recsweep.errors import BadInput
from recsweep.records.atomic import write_text

Why = Literal["confirm", "reproduce --sealed", "backtest"]


class Opened(Schema):
    """A configuration that the test was opened for."""

    kind: str  # its name in the registry
    trial: str
    config: RecordedConfiguration
    epochs: int

    @classmethod
    def of(cls, record: object) -> "Opened":
        """That of a choice, a best file, a portrait or a confirmed family."""
        return cls(**{name: getattr(record, name) for name in Opened.model_fields})


class Opening(Schema):
    """One time that the sealed test was read."""

    when: datetime
    why: Why
    code: Mapping[str, str | None]  # commit and changes, see `environment.code_version`
    fingerprint: str  # of the prepared data
    configurations: Mapping[str, Opened]  # family name in the study -> what was scored
    repeated: tuple[Mapping[str, Opened], ...] = ()  # the same of every repeated search


def record_opening(
    folder: Path,
    why: Why,
    code: Mapping[str, str | None],
    fingerprint: str,
    configurations: Mapping[str, Opened],
    repeated: Sequence[Mapping[str, Opened]] = (),
) -> tuple[Opening, ...]:
    """Append an opening and return all of them. To be called before the test is read.

    Raises:
        BadInput: the file is there and can't be read.
    """
    opening = Opening(
        when=datetime.now(UTC).replace(microsecond=0),
        why=why,
        code=code,
        fingerprint=fingerprint,
        configurations=configurations,
        repeated=tuple(repeated),
    )
    openings = (*read_openings(folder), opening)
    content = [entry.model_dump(mode="json") for entry in openings]
    write_text(folder / "openings.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return openings


def read_openings(folder: Path) -> tuple[Opening, ...]:
    """Every opening so far, the earliest first.

    Raises:
        BadInput: the file is there and can't be read.
    """
    path = folder / "openings.json"
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: cannot be read ({error})") from None
    if not isinstance(content, list):
        raise BadInput(f"{path}: is no list of openings")
    return tuple(validate(Opening, entry, path) for entry in content)
