"""A log of events."""

from collections.abc import Mapping
from itertools import combinations
from typing import Literal, Self

from pydantic import model_validator

from recsweep.config.schema.base import EventType, Schema, TimeFormat, TimeZone, later
from recsweep.config.schema.tables import Table
from recsweep.config.schema.treatment import Treatment

NO_VALUE = (
    *("", "nan", "NaN", "NAN", "null", "Null", "NULL", "none", "None", "NONE", "nil", "NIL"),
    *("NA", "<NA>", "N/A", "n/a", "#N/A", "#NA", "#N/A N/A", "#NULL!", "\\N", "(null)", "[NULL]"),
    *("NaT", "-nan", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "undefined"),
    *("-1", "-1.0"),
)
"""What databases, spreadsheets, pandas, R, C and JavaScript write where they have no value."""


class TypeMapping(Schema):
    """Where an event's type comes from: a column and its values, or one type for every row."""

    constant: EventType | None = None
    column: str | None = None
    values: Mapping[str, EventType] = {}  # raw value -> type; other values are dropped and counted

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.constant is None) == (self.column is None):
            raise ValueError("give either constant or column")
        if self.column is not None and not self.values:
            raise ValueError("column needs values: {raw value: event type}")
        return self


class EventTable(Table):
    """An event log: who, which course, when, what."""

    user: str
    item: str
    time: str | None = None
    # row: the file has no times; of a learner's events, the later row is the later event
    order: Literal["time", "row"] = later("time")
    # The column of session ids: histories are then sessions, and not learners.
    session: str | None = later(None)
    time_format: TimeFormat = "unix"
    timezone: TimeZone | None = later(None)  # of times that are written without one; None: UTC
    type: TypeMapping = TypeMapping(constant="browse")
    dwell: str | None = later(None)  # the column of seconds spent on an event; empty: not known
    missing: tuple[str, ...] = later(NO_VALUE)  # raw values that are no id, no time, no dwell
    treatment: Treatment | None = later(None)  # of events that a treatment came with

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        if (self.time is None) != (self.order == "row"):
            raise ValueError("give time, a column, or order: row for a file without times")
        return self

    @model_validator(mode="after")
    def _columns_differ(self) -> Self:
        meant = {"user": self.user, "item": self.item, "time": self.time}
        for (one, column), (other, also) in combinations(meant.items(), 2):
            if column == also:
                raise ValueError(f"{one} and {other} are both the column {column!r}")
        return self

    @model_validator(mode="after")
    def _zone_is_used(self) -> Self:
        if self.timezone is not None and self.time_format.startswith("unix"):
            raise ValueError("timezone is for times that are written out; unix times have none")
        return self
