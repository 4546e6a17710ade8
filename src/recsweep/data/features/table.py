"""All columns of one table as numbers, fitted on training's rows alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recsweep.config.schema import Text
from recsweep.data.features.columns import Scale, Values, fit_scale, fit_values
from recsweep.data.features.dated import NOTHING, DatedTable
from recsweep.data.features.text import TextVectors, fit_text
from recsweep.data.types import Float32, Int32, Int64

Part = Values | Scale | TextVectors


@dataclass(frozen=True, slots=True)
class TableEncoder:
    """The encoded columns of one table; `kept` marks those that vary in training."""

    known: DatedTable = field(repr=False)
    parts: tuple[Part, ...]
    kept: NDArray[np.bool_]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that `encode` yields."""
        return self._kept([name for part in self.parts for name in part.names])

    @property
    def sources(self) -> tuple[str, ...]:
        """The declared column that each of the columns that `encode` yields comes from."""
        return self._kept([part.column for part in self.parts for _ in part.names])

    def encode(self, codes: Int32, at: int | Int64) -> Float32:
        """(n_codes, n_names), finite: what was known of each code at the time `at`.

        Args:
            codes: any of the table.
            at: microseconds since 1970 UTC, one for all codes or one each. A row that is valid
                only later has no say. What isn't known is encoded as missing.
        """
        rows = self.known.rows(codes, at)
        return np.ascontiguousarray(encode_rows(self.known.table, self.parts, rows)[:, self.kept])

    def _kept(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name, kept in zip(names, self.kept, strict=True) if kept)


@dataclass(frozen=True, slots=True)
class EncodedTable:
    """The same columns with every row of the table encoded already: no text, no fitted column."""

    known: DatedTable = field(repr=False)
    matrix: Float32 = field(repr=False)  # (n_rows + 1, n_names); the last: of what isn't known
    names: tuple[str, ...]
    sources: tuple[str, ...]

    @classmethod
    def of(cls, table: TableEncoder) -> "EncodedTable":
        """Encode every row."""
        rows = np.append(np.arange(table.known.n_rows), NOTHING)
        matrix = encode_rows(table.known.table, table.parts, rows)[:, table.kept]
        return cls(table.known, np.ascontiguousarray(matrix), table.names, table.sources)

    def encode(self, codes: Int32, at: int | Int64) -> Float32:
        """(n_codes, n_names) as `TableEncoder.encode` has them."""
        return self.matrix[self.known.rows(codes, at)]


def fit_table(
    known: DatedTable,
    columns: Sequence[str],
    codes: Int32,
    at: int | Int64,
    texts: Sequence[str] = (),
    text: Text | None = None,
) -> TableEncoder:
    """Fit on what was known of `codes` at the time `at` (one for all, or one each).

    Args:
        known: the table.
        columns: of the table, to be encoded.
        codes: of training; one that stands there twice counts twice.
        at: microseconds since 1970 UTC. One that is after the fold's cut would be a leak.
        texts: which of the columns are text; other columns of strings are categories.
        text: how text becomes numbers; None: by the defaults.
    """
    if len(codes) == 0:
        return TableEncoder(known, (), np.zeros(0, bool))
    rows = known.rows(codes, at)
    parts = tuple(
        fit_text(cells, text or Text()) if column in texts else fit_column(cells)
        for column in columns
        for cells in [_cells(known.table, column, rows)]
    )
    matrix = encode_rows(known.table, parts, rows)
    return TableEncoder(known, parts, matrix.min(axis=0) != matrix.max(axis=0))


def fit_column(cells: pl.Series) -> Part:
    """Fit numbers, or else values."""
    return fit_scale(cells) if cells.dtype.is_numeric() else fit_values(cells)


def encode_rows(table: pl.DataFrame, parts: Sequence[Part], rows: Int64) -> Float32:
    """(n_rows, …) the encoded columns of some rows side by side; at NOTHING, none has a value."""
    encoded = [part.encode(_cells(table, part.column, rows)) for part in parts]
    return np.concatenate((np.zeros((len(rows), 0), np.float32), *encoded), axis=1)


def _cells(table: pl.DataFrame, column: str, rows: Int64) -> pl.Series:
    at = pl.Series(rows)
    return table[column].gather(at.set(at == NOTHING, None))
