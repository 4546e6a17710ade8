"""Tables by time: which row of a learner or a course stood at a moment."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsweep.data.types import Int32, Int64

ID = "_id"
LABEL = "_label"
VALID_FROM = "_valid_from"
TEXT, ANSWER, GROUP, COPIES = "_text", "_answer", "_group", "_copies"
"""What is known of a text: itself, its label, who it is from, how often it stood there again."""
RESERVED = (ID, LABEL, VALID_FROM, TEXT, ANSWER, GROUP, COPIES)
"""Columns of a prepared table that are no features."""

NOTHING = -1
"""Row of a code that the table doesn't know at that moment."""

ALWAYS = np.iinfo(np.int64).min
"""`valid_from` of a row of a table that never changes."""


@dataclass(frozen=True, slots=True)
class DatedTable:
    """Rows of one table by code and time."""

    table: pl.DataFrame  # feature columns; without `start`, row = code
    ids: pl.Series  # raw id by code; codes past the log's belong to ids that only the table has
    start: Int64 | None = None  # (n_codes + 1,) rows of each code, oldest first
    valid_from: Int64 | None = None  # (n_rows,) microseconds since 1970 UTC

    @property
    def n_rows(self) -> int:
        """Rows of the table, of all codes."""
        return len(self.ids) if self.valid_from is None else len(self.valid_from)

    def rows(self, codes: Int32, at: int | Int64) -> Int64:
        """(n_codes,) the latest row that is valid at the time `at`, or NOTHING.

        Args:
            codes: any.
            at: microseconds since 1970 UTC, one for all codes or one each.
        """
        if self.start is None or self.valid_from is None:
            return codes.astype(np.int64)
        times, rank = np.unique(self.valid_from, return_inverse=True)
        code_of_row = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        width = len(times) + 1
        keys = code_of_row * width + rank + 1
        asked = codes.astype(np.int64) * width + np.searchsorted(times, at, side="right")
        row = np.searchsorted(keys, asked, side="right") - 1
        return np.where(row >= self.start[codes], row, NOTHING)

    def existing(self, at: int) -> Int32:
        """Codes of which a row is valid at the time `at`, in order of their raw ids."""
        codes = np.arange(len(self.ids), dtype=np.int32)
        known = codes[self.rows(codes, at) != NOTHING]
        in_order: Int32 = known[self.ids.gather(known).arg_sort().to_numpy()]
        return in_order


def known_of(ids: pl.Series, rows: pl.DataFrame | None, table: pl.DataFrame) -> DatedTable:
    """Put a prepared table in the order of codes.

    Args:
        ids: raw ids by code.
        rows: the dated rows (`_id`, `_valid_from`, features), of any ids; None: the table has none.
        table: one undated row a code, used where there are no dated ones.
    """
    if rows is None:
        return DatedTable(table.drop(RESERVED, strict=False), ids)
    others = rows[ID].unique().sort()
    codes = pl.concat([ids, others.filter(~others.is_in(ids.implode()))]).alias(ID).to_frame()
    codes = codes.with_row_index("code")
    dated = (
        rows.join(codes, on=ID, how="inner")
        .with_columns(pl.col(VALID_FROM).fill_null(ALWAYS))
        .sort("code", VALID_FROM)
    )
    counts = np.bincount(dated["code"].to_numpy(), minlength=len(codes))
    return DatedTable(
        table=dated.drop("code", *RESERVED, strict=False),
        ids=codes[ID],
        start=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        valid_from=dated[VALID_FROM].to_numpy(),
    )
