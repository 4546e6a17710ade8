"""Looks at files that are nowhere."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from recsweep.config.schema import Table
from recsweep.stages.init.look import Look


def look_of(
    columns: Mapping[str, Sequence[str | None]], name: str = "log.csv", **table: object
) -> Look:
    """A look at a text file with the columns; `table` holds keys of a table."""
    rows = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return Look(Table.model_validate({"path": name, **table}), Path(name), rows)
