"""The record of a preparation: what was read, which rule took out how much, what came of it."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from recsweep.config.digest import json_sha256
from recsweep.config.schema import Data, Decides, Experiment, Folds, Schema, deciding, later
from recsweep.data.clock import iso
from recsweep.data.types import Cuts
from recsweep.errors import BadInput

FORMAT = 1
"""Of the prepared files; part of a folder's name."""

RULES = 3
"""Of reading and cleaning. What an earlier version prepared stays readable, for studies that began
on it, and is not taken for what this one would prepare.
"""

FILE = "manifest.json"


class RawFile(Schema):
    """A file that was read."""

    path: str
    bytes: int
    sha256: str


class PreparedFile(Schema):
    """A file that was written. `content` stays the same when the Parquet writer changes."""

    bytes: int
    sha256: str
    content: str


class EventRows(Schema):
    """One raw event table; a row counts for the first rule that it breaks."""

    path: str
    rows: int
    dropped: Mapping[str, int]
    unmapped_types: Mapping[str, int]  # the most frequent five
    kept: int
    without_dwell: int = later(0)  # of those kept, in a table that has a column of it
    negative: Mapping[str, int] = later({})  # of sessions: labels that say no, the first five


class FeatureRows(Schema):
    """One raw table of users or items."""

    path: str
    rows: int
    without_id: int
    repeated: int
    without_event: int
    ids: int = later(0)  # users or items of the log; 0: an older manifest
    ids_without_row: int  # those of them that the table doesn't know
    without_time: int = later(0)  # left out: nobody knows since when they are known


class Moment(Schema):
    """A resolved time."""

    microseconds: int
    iso: str

    @classmethod
    def at(cls, time: int) -> "Moment":
        """From microseconds since 1970 UTC."""
        return cls(microseconds=time, iso=iso(time))


class Period(Schema):
    """Events in `[start, end)`."""

    start: Moment
    end: Moment
    events: int
    users: int
    items: int
    types: Mapping[str, int]


class FoldSupport(Schema):
    """What one fold has to go on. Nothing of it is dropped from the prepared data."""

    name: str
    training: Period
    users_below_min_user_events: int
    items_below_min_item_events: int
    validation: Period
    validation_events_of_new_users: int
    validation_events_on_new_items: int


class Manifest(Schema):
    """`manifest.json`."""

    recsweep_format: int
    name: str
    inputs: str  # sha256 over raw files and configuration; its start is in the folder's name
    fingerprint: str  # sha256 over the content of the prepared files and the cuts
    cleaning: tuple[EventRows, ...]
    duplicates: int
    odd_ids: tuple[str, ...] = later(())  # what is wrong with them, in words
    odd_values: tuple[str, ...] = later(())  # the same of columns
    user_table: FeatureRows | None
    item_table: FeatureRows | None
    development: Period
    folds: tuple[FoldSupport, ...]
    sealed_test: Period
    raw: tuple[RawFile, ...]
    files: Mapping[str, PreparedFile]
    data: Data
    fold_rule: Folds

    @property
    def cuts(self) -> Cuts:
        """The resolved cuts."""
        return Cuts(
            validation=tuple(_bounds(fold.validation) for fold in self.folds),
            test=_bounds(self.sealed_test),
        )


def inputs_hash(raw_sha256: list[str], experiment: Experiment) -> str:
    """Identity of a preparation: raw bytes, configuration, format, rules."""
    fixed = {"format": FORMAT, "rules": RULES, "raw": raw_sha256}
    return json_sha256({**fixed, **deciding(experiment, Decides.DATA)})


def fingerprint(files: Mapping[str, PreparedFile], cuts: Cuts) -> str:
    """Identity of what was prepared, whatever the raw files were called."""
    content = {name: file.content for name, file in files.items()}
    return json_sha256({"content": content, "cuts": [cuts.validation, cuts.test]})


def read_manifest(folder: Path) -> Manifest:
    """Read a prepared folder's manifest.

    Raises:
        BadInput: it is missing, damaged, or of another format.
    """
    path = folder / FILE
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(
            f"{path}: cannot be read ({error.strerror}); "
            f"delete {folder} if it is there, and run recsweep prepare"
        ) from None
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(str(part) for part in problem["loc"])
        raise BadInput(
            f"{path}: is no manifest of this version ({key or problem['msg']}); "
            "delete the folder and run recsweep prepare"
        ) from None
    if manifest.recsweep_format != FORMAT:
        raise BadInput(
            f"{path}: has format {manifest.recsweep_format}, this version reads {FORMAT}; "
            "delete the folder and run recsweep prepare"
        )
    return manifest


def _bounds(period: Period) -> tuple[int, int]:
    return period.start.microseconds, period.end.microseconds
