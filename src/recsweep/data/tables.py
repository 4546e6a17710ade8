"""Tables of what is known about users or items, brought into the order of their codes."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from recsweep.config.schema import FeatureTable
from recsweep.data.cleaning import raw_ids
from recsweep.data.features import ID, LABEL, RESERVED, declared_names
from recsweep.data.manifest import FeatureRows
from recsweep.data.reading import as_text, read_table
from recsweep.errors import BadInput

TAG_WRAPPING = " \t[]'\""
"""Taken off both ends of a tag, so that `['Word', 'Excel']` split at a comma is two plain tags."""


def bare_table(ids: pl.Series) -> pl.DataFrame:
    """Raw ids by code where no table is declared."""
    return pl.DataFrame({ID: ids, LABEL: pl.Series([None] * len(ids), dtype=pl.String)})


def feature_table(
    table: FeatureTable, path: Path, ids: pl.Series
) -> tuple[pl.DataFrame, FeatureRows]:
    """Row = code: `_id`, `_label`, categories (String), numbers (Float64), tags (List[String]).

    What is missing is null. Rows of one id must agree.

    Raises:
        BadInput: the file can't be read, a number is none, or two rows of one id differ.
    """
    names = declared_names(table)
    twice = [name for name in names if names.count(name) > 1 or name in RESERVED]
    if twice:
        raise BadInput(f"{path}: {twice[0]!r} is declared twice, or is a name kept for recsweep")
    label = [table.label] if table.label else []
    raw = read_table(table, path, [table.key, *label, *names])
    columns = {ID: raw_ids(raw[table.key], path)}
    columns[LABEL] = _text(raw[table.label], table.missing, path) if table.label else _nothing(raw)
    for name in table.categorical:
        columns[name] = _text(raw[name], table.missing, path)
    for name in table.numeric:
        columns[name] = _numbers(raw[name], table.missing, path)
    for name, separator in table.tags.items():
        columns[name] = _tags(raw[name], separator, table.missing, path)
    known = pl.DataFrame(columns).with_row_index("row", offset=1).filter(pl.col(ID).is_not_null())
    _check_agreement(known, path)
    single = known.unique(ID, keep="first", maintain_order=True).drop("row")
    ordered = ids.alias(ID).to_frame()
    in_log = single.join(ordered, on=ID, how="semi").height
    rows = FeatureRows(
        path=table.path,
        rows=len(raw),
        without_id=len(raw) - len(known),
        repeated=len(known) - len(single),
        without_event=len(single) - in_log,
        ids_without_row=len(ids) - in_log,
    )
    return ordered.join(single, on=ID, how="left", maintain_order="left"), rows


def _check_agreement(known: pl.DataFrame, path: Path) -> None:
    repeated = known.filter(pl.col(ID).is_duplicated())
    if repeated.is_empty():
        return
    for rows in repeated.partition_by(ID, maintain_order=True):
        first = rows.drop("row").row(0)
        for row in rows.iter_rows():
            if row[1:] != first:
                raise BadInput(
                    f"{path}: rows {rows['row'][0]} and {row[0]} say different things "
                    f"about the id {first[0]!r}; keep one of them"
                )


def _nothing(raw: pl.DataFrame) -> pl.Series:
    return pl.Series([None] * len(raw), dtype=pl.String)


def _text(column: pl.Series, missing: Sequence[str], path: Path) -> pl.Series:
    text = as_text(column, path).str.strip_chars()
    return text.set(text.is_in(missing), None)


def _numbers(column: pl.Series, missing: Sequence[str], path: Path) -> pl.Series:
    text = _text(column, missing, path)
    number = text.cast(pl.Float64, strict=False)
    if column.dtype.is_float():
        text = text.set(column.is_nan(), None)
    number = number.set(~number.is_finite(), None)
    bad = (number.is_null() & text.is_not_null()).arg_true()
    if len(bad):
        row = int(bad[0])
        raise BadInput(
            f"{path}: row {row + 1}: {column.name} is {column[row]!r}, expected a number; "
            "if it means 'not known', add it to the table's key missing"
        )
    return number


def _tags(column: pl.Series, separator: str, missing: Sequence[str], path: Path) -> pl.Series:
    listed = (
        column if isinstance(column.dtype, pl.List) else as_text(column, path).str.split(separator)
    )
    tag = pl.element().cast(pl.String).str.strip_chars(TAG_WRAPPING)
    kept = tag.filter(~tag.is_in(["", *missing])).unique(maintain_order=True)
    tags = listed.to_frame("tags").select(pl.col("tags").list.eval(kept))["tags"]
    return tags.set(tags.list.len() == 0, None)
