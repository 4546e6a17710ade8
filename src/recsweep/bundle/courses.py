"""The courses of a bundle: `courses.parquet`, one row for each row of the table of courses.

Columns: `_index` (place in the catalogue; null: not in it), `_id`, `_label`, `_since` (microseconds
since 1970 UTC; null: always), `_valid_from` (of a dated table), and the declared columns. A course
of the log has a row even if no table is declared.
"""

import io
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from recsweep.data.features.dated import (
    ALWAYS,
    ID,
    LABEL,
    NOTHING,
    RESERVED,
    VALID_FROM,
    DatedTable,
)
from recsweep.data.features.fit import known_items
from recsweep.data.features.table import EncodedTable
from recsweep.data.types import UNKNOWN, Dataset, Events, Float32, Int32, Int64

INDEX, SINCE = "_index", "_since"


@dataclass(frozen=True)
class Courses:
    """Every course that the bundle has heard of; codes count up in the table's order."""

    rows: pl.DataFrame = field(repr=False)

    @cached_property
    def of_code(self) -> pl.DataFrame:
        """One row a course, the last that is known."""
        return self.rows.unique(ID, keep="last", maintain_order=True)

    @cached_property
    def index(self) -> Int32:
        """(n_codes,) place in the catalogue, or UNKNOWN."""
        found: Int32 = self.of_code[INDEX].fill_null(UNKNOWN).to_numpy().astype(np.int32)
        return found

    @cached_property
    def items(self) -> Int32:
        """(n_items,) code of each place in the catalogue."""
        found = np.empty(int(self.index.max(initial=-1)) + 1, np.int32)
        known = np.flatnonzero(self.index != UNKNOWN)
        found[self.index[known]] = known
        return found

    @cached_property
    def catalogue(self) -> pl.DataFrame:
        """One row for each place in the catalogue."""
        return self.of_code[self.items]

    @property
    def ids(self) -> pl.Series:
        """(n_codes,) raw ids."""
        return self.of_code[ID]

    def dated(self) -> DatedTable:
        """Rows by code and time, without their columns."""
        nothing = pl.DataFrame()
        if VALID_FROM not in self.rows.columns:
            return DatedTable(nothing, self.ids)
        counts = self.rows.group_by(ID, maintain_order=True).len()["len"].to_numpy()
        # One code more, of courses that nobody has heard of; an undated table finds its last row.
        start: Int64 = np.concatenate(([0], np.cumsum(counts), [counts.sum()])).astype(np.int64)
        return DatedTable(nothing, self.ids, start, self.rows[VALID_FROM].to_numpy())

    def to_bytes(self) -> bytes:
        """As a file."""
        buffer = io.BytesIO()
        self.rows.write_parquet(buffer)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Courses":
        """The inverse."""
        return cls(pl.read_parquet(io.BytesIO(content)))


def courses_of(
    dataset: Dataset, events: Events, items: Int32, encoded: EncodedTable
) -> tuple[Courses, Float32]:
    """The courses of a data set, and the encoded columns of each row of the table; in the last row,
    those of a course of which nothing is known.

    Args:
        dataset: with the tables.
        events: that the catalogue was learned from.
        items: (n_items,) course code of each place in the catalogue.
        encoded: the table of courses.
    """
    known = known_items(dataset)
    codes, row = np.arange(len(known.ids)), np.arange(len(known.ids))
    if known.start is not None:  # a course of the log that the table never knows has a row as well
        counts = np.diff(known.start)
        codes = np.repeat(codes, np.maximum(counts, 1))
        row = np.full(len(codes), NOTHING)
        row[np.repeat(counts > 0, np.maximum(counts, 1))] = np.arange(known.n_rows)
    rows = pl.DataFrame(
        {
            INDEX: _placed(items, len(known.ids)).gather(codes),
            ID: known.ids.gather(codes),
            LABEL: _labels(dataset, len(known.ids)).gather(codes),
            SINCE: _since(known, events).gather(codes),
        }
    )
    if known.valid_from is not None:
        valid = np.append(known.valid_from, NEVER)[row]  # NOTHING is -1
        rows = rows.with_columns(pl.Series(VALID_FROM, valid))
    place = pl.Series(row)
    columns = known.table[[c for c in known.table.columns if c not in RESERVED]]
    columns = columns.select(pl.all().gather(place.set(place == NOTHING, None)))
    matrix = np.concatenate((encoded.matrix[row], encoded.matrix[-1:]))
    return Courses(pl.concat([rows, columns], how="horizontal")), matrix


def _placed(items: Int32, n: int) -> pl.Series:
    index = np.full(n, UNKNOWN, np.int32)
    index[items] = np.arange(len(items))
    return pl.Series(index).replace(UNKNOWN, None)


def _labels(dataset: Dataset, n: int) -> pl.Series:
    if dataset.items is None or LABEL not in dataset.items.columns:
        return pl.Series([None] * n, dtype=pl.String)
    return dataset.items[LABEL].extend_constant(None, n - len(dataset.items))


def _since(known: DatedTable, events: Events) -> pl.Series:
    """When each course was first known: by a dated table, or else by its first event."""
    since = np.full(len(known.ids), NEVER)
    if known.start is None or known.valid_from is None:
        np.minimum.at(since, events.item, events.time)
    else:
        some = np.diff(known.start) > 0
        since[some] = known.valid_from[known.start[:-1][some]]
    found = pl.Series(since)
    return found.set(found.is_in([NEVER, ALWAYS]), None)


NEVER = np.iinfo(np.int64).max
