"""Tables of what is known about users or items, brought into the order of their codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from recsweep.config.schema import NO_VALUE, FeatureTable
from recsweep.data.cleaning import raw_ids
from recsweep.data.features.dated import ID, LABEL, RESERVED, VALID_FROM
from recsweep.data.features.fit import declared_names
from recsweep.data.manifest import FeatureRows
from recsweep.data.numbers import to_numbers
from recsweep.data.odd_ids import SAME_BUT_FOR
from recsweep.data.odd_values import odd_values
from recsweep.data.reading import as_text, read_table, refuse_unread
from recsweep.data.time_formats import advice
from recsweep.data.times import check_times, to_microseconds
from recsweep.errors import BadInput

TAG_WRAPPING = " \t[]'\""
"""Taken off both ends of a tag, so that `['Word', 'Excel']` split at a comma is two plain tags."""


def bare_table(ids: pl.Series) -> pl.DataFrame:
    """Raw ids by code where no table is declared."""
    return pl.DataFrame({ID: ids, LABEL: pl.Series([None] * len(ids), dtype=pl.String)})


@dataclass(frozen=True, slots=True)
class FeatureRead:
    """A table of users or items as it was read."""

    by_code: pl.DataFrame  # row = code: `_id`, `_label`, and the features if there are no `rows`
    rows: pl.DataFrame | None  # a dated table's, of every id: `_id`, `_valid_from`, features
    counts: FeatureRows | None  # None: no table is declared
    odd_values: tuple[str, ...] = ()


def feature_table(table: FeatureTable, path: Path, ids: pl.Series) -> FeatureRead:
    """Read `_id`, `_label`, categories and text (String), numbers (Float64), tags (List[String]).

    What is missing is null. Rows of one id (and one time, where rows have one) must agree. A row
    without a readable time is never known: such rows are left out, and counted.

    Raises:
        BadInput: the file can't be read, a number or time is none, two rows of one id differ, or
            no id of the log has a row.
    """
    names = declared_names(table)
    twice = [name for name in names if names.count(name) > 1 or name in RESERVED]
    if twice:
        raise BadInput(f"{path}: {twice[0]!r} is declared twice, or is a name kept for recsweep")
    others = [column for column in (table.label, table.valid_from) if column]
    raw = read_table(table, path, [table.key, *others, *names])
    key_ids = raw_ids(raw[table.key], path)
    nobody = key_ids.is_in(NO_VALUE) & ~key_ids.is_in(ids.implode())  # unless the log has such ids
    columns = {ID: key_ids.set(nobody.fill_null(True), None)}
    columns[LABEL] = (
        known_text(raw[table.label], table.missing, path) if table.label else _nothing(raw)
    )
    if table.valid_from:
        columns[VALID_FROM] = _valid_from(raw[table.valid_from], table, path)
    features = feature_columns(table, raw, path)
    odd = odd_values(column.alias(name) for name, column in features.items())
    known = (
        pl.DataFrame({**columns, **features})
        .with_row_index("row", offset=1)
        .filter(pl.col(ID).is_not_null())
    )
    without_id = len(raw) - len(known)
    if table.valid_from:
        known = known.filter(pl.col(VALID_FROM).is_not_null())
    key = [ID, VALID_FROM] if table.valid_from else [ID]
    _check_agreement(known, key, path)
    single = known.unique(key, keep="first", maintain_order=True).drop("row")
    ordered = ids.alias(ID).to_frame()
    of_log = single.join(ordered, on=ID, how="semi")
    if of_log.is_empty() and len(ids):
        raise BadInput(f"{path}: {_no_match(single[ID], ids, table.key)}")
    counts = FeatureRows(
        path=table.path,
        rows=len(raw),
        without_id=without_id,
        repeated=len(known) - len(single),
        without_event=single[ID].n_unique() - of_log[ID].n_unique(),
        ids=len(ids),
        ids_without_row=len(ids) - of_log[ID].n_unique(),
        without_time=len(raw) - without_id - len(known),
    )
    if not table.dated:
        by_code = ordered.join(single, on=ID, how="left", maintain_order="left")
        return FeatureRead(by_code, None, counts, odd)
    if not table.valid_from:
        always = pl.lit(None, pl.Int64).alias(VALID_FROM)
        single = single.select(ID, LABEL, always, pl.exclude(ID, LABEL))
    single = single.sort(ID, VALID_FROM)
    last = single.unique(ID, keep="last", maintain_order=True).select(ID, LABEL)
    by_code = ordered.join(last, on=ID, how="left", maintain_order="left")
    return FeatureRead(by_code, single.drop(LABEL), counts, odd)


def feature_columns(table: FeatureTable, raw: pl.DataFrame, path: Path) -> dict[str, pl.Series]:
    """The declared columns of a raw table, as `feature_table` has them.

    Raises:
        BadInput: a number is none, or a column can't hold what it is declared as.
    """
    return {
        **{name: known_text(raw[name], table.missing, path) for name in table.categorical},
        **{name: _numbers(raw[name], table, path) for name in table.numeric},
        **{
            name: _tags(raw[name], separator, table.missing, path)
            for name, separator in table.tags.items()
        },
        **{name: known_text(raw[name], table.missing, path) for name in table.text},
    }


def known_text(column: pl.Series, missing: Sequence[str], path: Path) -> pl.Series:
    """A column as text without spaces around it; what means "not known" is null."""
    text = as_text(column, path).str.strip_chars()
    return text.set(text.is_in(missing), None)


def _no_match(found: pl.Series, wanted: pl.Series, key: str) -> str:
    text = f"none of the log's {len(wanted)} ids has a row; the log has {wanted[0]!r}"
    if found.is_empty():
        return f"{text}, the column {key!r} has none"
    alike = [
        difference
        for difference, form in SAME_BUT_FOR.items()
        if form(found).is_in(form(wanted).implode()).any()
    ]
    but_for = f"; they are the same but for {alike[0]}" if alike else ""
    return f"{text}, the column {key!r} has {found[0]!r}{but_for}"


def _valid_from(column: pl.Series, table: FeatureTable, path: Path) -> pl.Series:
    check_times(column, path)
    if not (column.dtype.is_numeric() or column.dtype.is_temporal()):
        column = known_text(column, table.missing, path)
    time = to_microseconds(column, table.valid_from_format, table.timezone)
    unread = time.is_null() & column.is_not_null()
    expected = f"a time written {table.valid_from_format!r} (valid_from_format)"
    if unread.any():
        expected += advice(column.filter(unread)[0], "valid_from_format")
    refuse_unread(column, unread, path, expected)
    return time


def _check_agreement(known: pl.DataFrame, key: Sequence[str], path: Path) -> None:
    repeated = known.filter(pl.struct(key).is_duplicated())
    if repeated.is_empty():
        return
    for rows in repeated.partition_by(key, maintain_order=True):
        first = rows.drop("row").row(0)
        for row in rows.iter_rows():
            if row[1:] != first:
                raise BadInput(
                    f"{path}: rows {rows['row'][0]} and {row[0]} say different things "
                    f"about the id {first[0]!r}; keep one of them"
                )


def _nothing(raw: pl.DataFrame) -> pl.Series:
    return pl.Series([None] * len(raw), dtype=pl.String)


def _numbers(column: pl.Series, table: FeatureTable, path: Path) -> pl.Series:
    text = known_text(column, table.missing, path)
    number = to_numbers(text, table)
    number = number.set(~number.is_finite(), None)
    expected = "a number; if it means 'not known', add it to the table's key missing"
    refuse_unread(column, number.is_null() & text.is_not_null(), path, expected)
    return number


def _tags(column: pl.Series, separator: str, missing: Sequence[str], path: Path) -> pl.Series:
    listed = (
        column if isinstance(column.dtype, pl.List) else as_text(column, path).str.split(separator)
    )
    tag = pl.element().cast(pl.String).str.strip_chars(TAG_WRAPPING)
    kept = tag.filter(~tag.is_in(["", *missing])).unique(maintain_order=True)
    tags = listed.to_frame("tags").select(pl.col("tags").list.eval(kept))["tags"]
    return tags.set(tags.list.len() == 0, None)
