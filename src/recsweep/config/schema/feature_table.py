"""What is known of learners and courses."""

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from recsweep.config.schema.base import TimeFormat, TimeZone, later
from recsweep.config.schema.numbers import NumberStyle
from recsweep.config.schema.tables import Table


class FeatureTable(Table, NumberStyle):
    """A table of learners or courses. Without `valid_from`, its columns are taken as known from
    the start; with it, a row is known from its time on, and an id may have several rows.
    """

    key: str
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    tags: Mapping[str, str] = {}  # column of several values -> their separator
    text: tuple[str, ...] = later(())
    missing: tuple[str, ...] = ("",)  # raw values that mean "not known"
    label: str | None = None  # a column to show to people (a course's title)
    immutable: bool = later(False)  # declares that no row was ever written later than the log
    valid_from: str | None = later(None)  # the column of a row's time
    valid_from_format: TimeFormat = later("iso")
    timezone: TimeZone | None = later(None)  # of times in valid_from that are written without one

    @model_validator(mode="after")
    def _one_claim(self) -> Self:
        if self.immutable and self.valid_from is not None:
            raise ValueError("give immutable or valid_from, not both")
        unused = self.valid_from is None or self.valid_from_format.startswith("unix")
        if self.timezone is not None and unused:
            raise ValueError("timezone is for times in valid_from that are written out")
        return self

    @property
    def dated(self) -> bool:
        """Does it say since when its rows are known, be it since ever?"""
        return self.immutable or self.valid_from is not None
