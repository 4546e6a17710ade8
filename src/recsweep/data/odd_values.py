"""Values that look like marks of "not known" and aren't declared as such."""

from collections.abc import Iterable

import polars as pl

from recsweep.config.schema import NO_VALUE

MARKS = sorted({mark.lower() for mark in NO_VALUE if mark})


def odd_values(columns: Iterable[pl.Series]) -> tuple[str, ...]:
    """One line for each column of text, or of lists of it, that holds such marks, in capitals or
    not; with counts.
    """
    found = []
    for column in columns:
        values = column.explode() if isinstance(column.dtype, pl.List) else column
        if values.dtype != pl.String:
            continue
        counts = (
            values.filter(values.str.to_lowercase().is_in(MARKS))
            .alias("value")
            .value_counts(name="rows")
        )
        marks = counts.sort("rows", "value", descending=[True, False]).rows()
        if marks:
            listed = ", ".join(f"{value!r} ({rows:,})" for value, rows in marks)
            found.append(
                f"Column {column.name!r} holds {listed} as values; if such a one means "
                "'not known', name it in missing"
            )
    return tuple(found)
