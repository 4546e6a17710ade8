"""A first look at a file: how it is laid out, and its rows as they stand."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsweep.config.schema import Table
from recsweep.data.formats.parts import parts
from recsweep.data.reading import as_text, column_names, read_batches
from recsweep.errors import BadInput
from recsweep.stages.init.dialect import find_dialect
from recsweep.stages.init.questions import Answers

ROWS = 1 << 20
"""Looked at in a large file; what stands after them is read by `prepare` alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A file and the start of it."""

    table: Table
    path: Path
    rows: pl.DataFrame  # all columns; of CSV as text, empty fields null

    @property
    def names(self) -> list[str]:
        """Columns in the file's order."""
        return self.rows.columns

    def text(self, name: str) -> pl.Series:
        """A column's values that are there, without spaces around them; none for lists."""
        column = self.rows[name]
        if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
            return pl.Series(name, [], pl.String)
        return as_text(column, self.path).drop_nulls().str.strip_chars()


def look_at(path: Path, answers: Answers) -> Look:
    """Find out how a file is written, and read its first rows.

    Raises:
        BadInput: it can't be read, or not surely.
    """
    first = parts(path)[0]
    table = find_dialect(first, answers)
    batches, seen = [], 0
    for batch in read_batches(table, first, column_names(table, first)):
        batches.append(batch)
        seen += len(batch)
        if seen >= ROWS:
            break
    if not seen:
        raise BadInput(f"{path}: has no row below its header")
    table = table.model_copy(update={"path": str(path)})
    return Look(table, first, pl.concat(batches).head(ROWS))
