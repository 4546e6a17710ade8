"""Texts with their labels, in place of a log of events, and the words that they are read in."""

from collections.abc import Mapping
from typing import Self

from pydantic import model_validator

from recsweep.config.schema.base import RawPath, Schema, TimeFormat, TimeZone
from recsweep.config.schema.numbers import NumberStyle
from recsweep.config.schema.tables import Table


class Labelling(Schema):
    """Where the label of a text comes from: a column, or one label for every row."""

    constant: str | None = None
    column: str | None = None
    values: Mapping[str, str] = {}  # raw value -> label, others are dropped; empty: as they stand

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.constant is None) == (self.column is None):
            raise ValueError("give either constant or column")
        if self.constant is not None and self.values:
            raise ValueError("values go with column")
        return self


class TextTable(Table, NumberStyle):
    """Rows of text, each with one label."""

    text: str
    label: Labelling
    time: str | None = None
    time_format: TimeFormat = "unix"
    timezone: TimeZone | None = None  # of times that are written without one; None: UTC
    group: str | None = None  # the column of who or what several texts are from
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)  # raw values that mean "not known"

    @model_validator(mode="after")
    def _columns_have_one_meaning(self) -> Self:
        taken = [name for name in (self.text, self.label.column, self.time, self.group) if name]
        for name in (*self.categorical, *self.numeric):
            if name in taken:
                raise ValueError(f"{name!r} is text, label, time or group and can't be a feature")
        if self.timezone is not None and (self.time is None or self.time_format.startswith("unix")):
            raise ValueError("timezone is for times that are written out; unix times have none")
        return self


class WordVectors(Schema):
    """A file or a folder of word vectors as word2vec, GloVe and fastText write them as text: a line
    a word, then its numbers; a first line may say how many there are. They are not trained further.
    """

    path: RawPath  # may hold `${VARIABLES}`
    sha256: str | None = None  # of the file's bytes as they lie on disk
