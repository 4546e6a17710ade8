"""`data`: what to read, and how to clean it."""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from recsweep.config.schema.base import Name, Schema, Unit, later
from recsweep.config.schema.event_table import EventTable
from recsweep.config.schema.feature_table import FeatureTable
from recsweep.config.schema.session_table import SessionTable
from recsweep.config.schema.simulator import SimulatorSettings
from recsweep.config.schema.tables import Package, Table
from recsweep.config.schema.text_table import TextTable, WordVectors
from recsweep.config.schema.treatment import Treatment

DataKind = Literal["events", "sessions", "texts"]
"""What a row of the data is; the key of `data` that names the tables."""


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
