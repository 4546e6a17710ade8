"""`data`: what to read, and how to clean it."""

import codecs
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import combinations
from os import PathLike, fspath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from recsweep.config.schema.base import (
    EventType,
    Name,
    RawPath,
    Schema,
    Seed,
    Share,
    TimeFormat,
    TimeZone,
    Unit,
    later,
)
from recsweep.config.schema.frames import parquet_of, path_of
from recsweep.config.schema.numbers import NumberStyle

DataKind = Literal["events", "sessions", "texts"]
"""What a row of the data is; the key of `data` that names the tables."""

NO_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined")
"""Codecs of Python that no file is written in."""


class Package(Schema):
    """A Python package that carries data files, in its wheel or in its source archive.

    Of a wheel no code is run. Of a source archive pip asks the metadata, which runs its set-up
    code; so its own checksum has to be given, and is compared before.
    """

    name: Name
    version: Annotated[str, Field(pattern=r"^\d[A-Za-z0-9.!+-]*$")]
    sha256: Mapping[str, str]  # member, below the archive's own folder -> sha256 of its bytes
    source_sha256: str | None = later(None)  # of the source archive; None: the wheel is meant


def _known_encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
    except LookupError:
        codec = None
    if codec is None or not codec._is_text_encoding or codec.name in NO_FILES:
        raise ValueError(f"{name!r} is no encoding of text; such are utf-8, latin-1, gbk, utf-16")
    return name


def _plain_separator(separator: str) -> str:
    if len(separator) > 1 and separator.startswith("\\"):
        raise ValueError(
            f"found a backslash and {separator[1:]!r}; write it in double quotes, as in "
            f'"\\t", or without the backslash'
        )
    if any(sign in separator for sign in '\r\n"'):
        raise ValueError("a separator holds no line end and no double quote")
    return separator


def _ascii_sign(sign: str) -> str:
    if not sign.isascii() or sign in ("\r", "\n", " "):
        raise ValueError(f"found {sign!r}, expected a sign of ASCII")
    return sign


Sign = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_ascii_sign)]


class Table(Schema):
    """One raw table. `path` may hold `${VARIABLES}`; a folder or a pattern such as `day-*.csv`
    stands for all its files; `package:<member>` is a file of `package`.

    In Python, `path` may be a frame as well; `frame:<sha256>` stands for it in the record.
    """

    path: RawPath
    # histories: lines of a learner's id and then its courses, oldest first; columns user and item
    format: Literal["csv", "parquet", "histories"] = "csv"
    separator: Annotated[
        str, Field(min_length=1, max_length=8), AfterValidator(_plain_separator)
    ] = ","
    quote: Sign | Literal[""] | None = later(None)  # "": quotes mean nothing
    # What stands before a quote in a quoted field: a backslash, or the quote itself.
    escape: Sign | None = later(None)
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8"
    skip: Annotated[int, Field(ge=0)] = later(0)  # lines that stand before the header
    header: bool = True  # without one, columns are called column_1, column_2, …
    sha256: str | None = None  # of the file's bytes as they lie on disk
    _content: bytes | None = PrivateAttr(None)

    @model_validator(mode="wrap")
    @classmethod
    def _take_frame(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        path = raw.get("path") if isinstance(raw, Mapping) else None
        if isinstance(path, PathLike):
            return handler({**raw, "path": fspath(path)})
        if path is None or isinstance(path, str | int | float | list | dict):
            return handler(raw)  # a file; or a mistake in one, which is the field's to refuse
        content = parquet_of(path)
        table = handler({**raw, "path": path_of(content), "format": "parquet"})
        table._content = content
        return table

    @property
    def content(self) -> bytes | None:
        """A Parquet file's bytes, where a frame was given that no disk may have yet."""
        return self._content

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.quote and len(self.separator) > 1:
            raise ValueError("quote needs a separator of one character")
        if self.separator in (self.quote_sign, self.escape):
            raise ValueError("separator, quote and escape must be different signs")
        return self

    @property
    def quote_sign(self) -> str | None:
        """What encloses a field; None: nothing does."""
        if self.quote is not None:
            return self.quote or None
        return None if self.separator == "\t" or len(self.separator) > 1 else '"'

    @property
    def in_utf8(self) -> bool:
        """Is it text in UTF-8, with a byte order mark or without?"""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")


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


NO_VALUE = (
    *("", "nan", "NaN", "NAN", "null", "Null", "NULL", "none", "None", "NONE", "nil", "NIL"),
    *("NA", "<NA>", "N/A", "n/a", "#N/A", "#NA", "#N/A N/A", "#NULL!", "\\N", "(null)", "[NULL]"),
    *("NaT", "-nan", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "undefined"),
    *("-1", "-1.0"),
)
"""What databases, spreadsheets, pandas, R, C and JavaScript write where they have no value."""


class Treatment(Schema):
    """Who was treated (was sent the e-mail, saw the offer) and who was not, by a column's values.

    A row with another value, or with none, is of no experiment.
    """

    column: str
    treated: Annotated[tuple[str, ...], Field(min_length=1)]  # raw values
    control: tuple[str, ...] = ()  # raw values; empty: every other one
    # The column of the probability of treatment, above 0 and below 1; None: the same for everybody.
    propensity: str | None = None

    @model_validator(mode="after")
    def _groups_differ(self) -> Self:
        if both := set(self.treated) & set(self.control):
            raise ValueError(f"{min(both)!r} is in treated and in control")
        return self

    @property
    def columns(self) -> list[str]:
        """The raw ones."""
        return [self.column, *([self.propensity] if self.propensity else [])]


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


class SessionTable(Table, NumberStyle):
    """A plain table: each row a session of its own, with what is known of it and how it ended."""

    label: str  # the column that says whether it ended in a purchase
    positive: Annotated[tuple[str, ...], Field(min_length=1)]  # its raw values that mean yes
    categorical: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    missing: tuple[str, ...] = ("",)  # raw values that mean "not known"
    treatment: Treatment | None = later(None)
    # Are rows that agree in every column the same session, or as many as there are?
    duplicates: Literal["drop", "keep"] = later("drop")

    @model_validator(mode="after")
    def _features_know_no_answer(self) -> Self:
        features = (*self.categorical, *self.numeric)
        if self.label in features:
            raise ValueError(f"the label {self.label!r} can't be a feature as well")
        for column in self.treatment.columns if self.treatment else ():
            if column in (self.label, *features):
                raise ValueError(f"{column!r} is of the treatment: it can't be anything else")
        return self


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


class SimulatorSettings(Schema):
    """The dials of the simulator. Equal settings give equal logs, seed included."""

    learners: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    courses: Annotated[int, Field(ge=10, le=20_000)] = 300
    days: Annotated[float, Field(gt=0, le=3650)] = 180  # length of the log
    browses: Annotated[float, Field(ge=1, le=200)] = 13  # mean a learner; heavy upper tail
    stay_days: Annotated[float, Field(gt=0)] = 20  # mean time from a learner's first event to last
    new_learners: Share = 0.8  # share who arrive during the log, not at its start
    new_courses: Share = 0.3  # share listed during the log
    popularity: Annotated[float, Field(ge=0, le=3)] = 0.8  # Zipf's exponent
    taste: Annotated[float, Field(ge=0, le=5)] = 1.5  # how much learners differ in what they like
    order: Share = 0.5  # chance that a browse follows from the course before it
    recency: Share = later(0.0)  # else: chance that it follows from any earlier one, by its age
    purchase_order: Annotated[float, Field(ge=0, le=5)] = 0.0  # what order does to a purchase
    treated: Annotated[float, Field(ge=0, lt=1)] = later(0.0)  # share of browses; 0: no treatments
    # What a treatment does to a purchase, by taste and by what was seen last.
    treatment_effect: Annotated[float, Field(ge=0, le=5)] = later(0.0)
    # How much likelier those who are readier to buy are to be treated; 0: a coin decides.
    treatment_confounding: Annotated[float, Field(ge=0, le=5)] = later(0.0)
    text: Share = 0.5  # share of a course's appeal that its category and tags tell
    seed: Seed = 0

    @model_validator(mode="after")
    def _treatment_is_there(self) -> Self:
        if not self.treated and (self.treatment_effect or self.treatment_confounding):
            raise ValueError("treatment_effect and treatment_confounding need treated above 0")
        return self


class TimeLimits(Schema):
    """Events outside are impossible times; they are dropped and counted."""

    earliest: datetime = datetime(1990, 1, 1, tzinfo=UTC)
    latest: datetime = datetime(2100, 1, 1, tzinfo=UTC)


class Data(Schema):
    """What to read and how to clean it."""

    name: Name
    package: Package | None = None
    simulator: SimulatorSettings | None = later(None)  # makes files for paths `simulator:<name>`
    events: tuple[EventTable, ...] = ()
    sessions: SessionTable | None = later(None)  # in place of events, for tasks that take them
    texts: tuple[TextTable, ...] = later(())  # in place of events, for the task text
    word_vectors: WordVectors | None = later(None)  # in which networks read texts
    # A learner who does nothing for longer begins a new session; histories are then sessions.
    session_gap_minutes: Annotated[float, Field(gt=0)] | None = later(None)
    users: FeatureTable | None = None
    items: FeatureTable | None = None
    times: TimeLimits = TimeLimits()

    @model_validator(mode="after")
    def _one_kind_of_log(self) -> Self:
        kinds = bool(self.events), self.sessions is not None, bool(self.texts)
        if sum(kinds) != 1:
            raise ValueError(
                "give events, or for the task purchase a table of sessions instead, or for the "
                "task text tables of texts"
            )
        if not self.events and (self.users is not None or self.items is not None):
            raise ValueError(f"{self.kind} bring their own columns: leave out users and items")
        if self.word_vectors is not None and not self.texts:
            raise ValueError("word_vectors is for texts: leave it out")
        return self

    @model_validator(mode="after")
    def _one_kind_of_history(self) -> Self:
        if len(self.events) > 1 and not self.timed:
            raise ValueError("order: row is for one table of events: rows of several have no order")
        named = {table.session is not None for table in self.events}
        if len(named) > 1:
            raise ValueError("session: name the column in every table of events, or in none")
        if self.session_gap_minutes is not None and (True in named or not self.timed):
            raise ValueError(
                "session_gap_minutes is for events with times and without a session column"
            )
        if self.in_sessions and self.users is not None:
            raise ValueError("histories that are sessions have no table of learners: leave it out")
        return self

    @property
    def timed(self) -> bool:
        """Do its events have times?"""
        return all(table.order == "time" for table in self.events)

    @property
    def in_sessions(self) -> bool:
        """Are histories sessions, and not all that a learner did?"""
        return self.session_gap_minutes is not None or any(t.session for t in self.events)

    @property
    def kind(self) -> DataKind:
        """What a row of the data is."""
        return "events" if self.events else "texts" if self.texts else "sessions"

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every raw table."""
        return tuple(
            table
            for table in (*self.events, self.sessions, *self.texts, self.users, self.items)
            if table is not None
        )

    @property
    def treatments(self) -> tuple[Treatment, ...]:
        """Of every log that has one."""
        of_logs = [log.treatment for log in self.events]
        if self.sessions is not None:
            of_logs.append(self.sessions.treatment)
        return tuple(treatment for treatment in of_logs if treatment is not None)

    @property
    def unit(self) -> Unit:
        """What the data are of."""
        if self.texts:
            return "groups" if any(table.group for table in self.texts) else "texts"
        if self.sessions is not None and self.sessions.treatment is not None:
            return "rows"  # of customers, as a rule
        return "sessions" if self.sessions is not None or self.in_sessions else "learners"
