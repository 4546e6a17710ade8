"""What is known of learners when a bundle is asked: their columns, and their events by code."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from recsweep.bundle.bundle import Bundle
from recsweep.config.schema import Experiment
from recsweep.data.arrays import changes
from recsweep.data.before_cut import rows_of
from recsweep.data.cleaning import raw_ids
from recsweep.data.features.dated import ID, DatedTable, known_of
from recsweep.data.reading import read_table
from recsweep.data.tables import feature_table
from recsweep.data.types import UNKNOWN, Events, Int64
from recsweep.errors import BadInput
from recsweep.tasks.asked import Asked, Known

CHUNK = 4096
"""Learners that are asked about at once."""


@dataclass(frozen=True, slots=True)
class LearnerTable:
    """The table of learners: one row each, or dated rows."""

    by_id: pl.DataFrame
    rows: pl.DataFrame | None

    def of(self, ids: pl.Series) -> DatedTable:
        """In the order of some learners; of those that it doesn't know, nothing is known."""
        whole = self.by_id
        table = pl.DataFrame({ID: ids}).join(whole, on=ID, how="left", maintain_order="left")
        rows = None
        if self.rows is not None:
            rows = self.rows.filter(pl.col(ID).is_in(ids.implode()))
        return known_of(ids, rows, table)

    def unknown(self, ids: pl.Series) -> int:
        """How many it has never heard of."""
        known = self.by_id[ID] if self.rows is None else self.rows[ID]
        return int((~ids.is_in(known.implode())).sum())


def no_learners(experiment: Experiment) -> LearnerTable:
    """Nothing is known of anybody."""
    table, text = experiment.data.users, pl.String()
    columns: dict[str, pl.DataType] = {ID: text}
    if table is not None:
        columns |= dict.fromkeys((*table.categorical, *table.text), text)
        columns |= dict.fromkeys(table.numeric, pl.Float64())
        columns |= dict.fromkeys(table.tags, pl.List(text))
    return LearnerTable(pl.DataFrame(schema=columns), None)


def read_learners(experiment: Experiment, path: Path) -> LearnerTable:
    """A table of learners in the experiment's own columns.

    Raises:
        BadInput: the experiment declares none, or the file can't be read.
    """
    declared = experiment.data.users
    if declared is None:
        raise BadInput(f"{path}: the study has no table of learners, so its models use none")
    form = "parquet" if path.suffix.lower() in (".parquet", ".pq") else "csv"
    table = declared.model_copy(update={"path": str(path), "format": form, "sha256": None})
    ids = raw_ids(read_table(table, path, [table.key])[table.key], path).drop_nulls()
    read = feature_table(table, path, ids.unique(maintain_order=True))
    return LearnerTable(read.by_code, read.rows)


@dataclass(frozen=True, slots=True)
class Group:
    """Some learners that are asked about together."""

    ids: pl.Series  # (n_learners,) raw ids
    asked: Asked
    known: Known  # with what is known of them
    courses_unknown: int  # events on courses that the bundle has never heard of
    too_late: int  # events that were left out, for they are not before the moment that is asked at


def groups_of(
    bundle: Bundle,
    events: pl.DataFrame,
    learners: LearnerTable,
    courses: Int64,
    at: int | None,
    ids: pl.Series | None = None,
) -> Iterator[Group]:
    """Cleaned events as groups of learners, in the order in which learners first appear.

    Args:
        bundle: that is asked.
        events: cleaned, no learner of which has an event elsewhere.
        learners: what is known of them.
        courses: catalogue indices that are asked about.
        at: the moment that all are asked at, microseconds since 1970 UTC; None: each just after
            the last event, and not before the bundle's data end.
        ids: of the learners, some of whom may have no event; None: those who have.
    """
    if ids is None:
        ids = events["user"].cast(pl.String).unique(maintain_order=True)
    whole = _events_of(bundle, events, ids)
    for first in range(0, len(ids), CHUNK):
        some = ids[first : first + CHUNK]
        low, high = np.searchsorted(whole.user, (first, first + len(some)))
        mine = rows_of(whole, np.arange(low, high))
        mine = replace(mine, user=mine.user - np.int32(first))
        yield group_of(bundle, mine, some, learners.of(some), courses, at)


def group_of(
    bundle: Bundle,
    events: Events,
    ids: pl.Series,
    learners: DatedTable,
    courses: Int64,
    at: int | None,
) -> Group:
    """One group: learners 0, 1, … with their events in order, and what is known of each; the rest
    as `groups_of` has it. A course that the bundle has never heard of has the code after the last.
    """
    index = np.append(bundle.courses.index, UNKNOWN).astype(np.int32)
    late = np.zeros(len(events), bool) if at is None else events.time >= at
    mine = rows_of(events, np.flatnonzero(~late))
    moment = np.full(len(ids), bundle.known.cut if at is None else at)
    if at is None:
        np.maximum.at(moment, mine.user, mine.time + 1)
    asked = Asked(
        user=np.arange(len(ids), dtype=np.int32),
        events=mine,
        index=index[mine.item],
        moment=moment,
        courses=courses,
    )
    return Group(
        ids=ids,
        asked=asked,
        known=with_learners(bundle.known, learners),
        courses_unknown=int((mine.item == len(index) - 1).sum()),
        too_late=int(late.sum()),
    )


def with_learners(known: Known, table: DatedTable) -> Known:
    """The same, with what is known of learners."""
    of_users = replace(known.encoder.of_users, known=table)
    return replace(known, encoder=replace(known.encoder, of_users=of_users))


def has_dwell(bundle: Bundle) -> bool:
    """Do the histories that it was trained on say how long things took?"""
    return any(table.dwell is not None for table in bundle.known.experiment.data.events)


def _events_of(bundle: Bundle, events: pl.DataFrame, ids: pl.Series) -> Events:
    """In the order of `Events`; a course that the bundle has never heard of has the last code."""
    codes = pl.DataFrame({"item": bundle.courses.ids}).with_row_index("code")
    users = pl.DataFrame({"user": ids}).with_row_index("learner")
    frame = (
        events.with_columns(pl.col("user", "item").cast(pl.String))
        .join(users, on="user", how="left", maintain_order="left")
        .join(codes, on="item", how="left", maintain_order="left")
        .with_columns(
            item=pl.col("code").fill_null(len(bundle.courses.ids)).cast(pl.Int32),
            user=pl.col("learner").cast(pl.Int32),
        )
    )
    timed = bundle.known.experiment.data.events[0].dwell is not None
    order = ["user", "time", "item", "kind"]
    if timed:
        frame = frame.with_columns(longest=-pl.col("dwell").fill_null(np.nan))
    frame = frame.sort([*order, *(["longest"] if timed else [])])
    user, time, item, kind = (frame[name].to_numpy() for name in order)
    new = changes(user) | changes(time) | changes(item) | changes(kind)
    # In a study of which any log has a dwell, every history has one.
    dwell = None
    if has_dwell(bundle):
        dwell = np.full(len(frame), np.nan, np.float32)
        if timed:
            dwell = frame["dwell"].cast(pl.Float32).fill_null(np.nan).to_numpy()
        dwell = dwell[new]
    return Events(user[new], item[new], time[new], kind[new], dwell)
