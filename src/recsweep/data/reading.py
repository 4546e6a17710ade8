"""Reading a raw table: its columns as they stand, or one line on why it can't be read."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

import polars as pl

from recsweep.config.files import nearest
from recsweep.config.schema import Table
from recsweep.data.formats.content import Content, content_of
from recsweep.data.formats.encodings import not_utf8
from recsweep.data.formats.headers import LOOKED_AT, looks_like_header
from recsweep.data.formats.histories import HISTORY, histories_of
from recsweep.data.formats.packing import DAMAGED
from recsweep.data.formats.parts import parts, refuse_copies
from recsweep.data.formats.recognise import check_kind, damaged
from recsweep.data.formats.regular import is_regular
from recsweep.data.formats.rows import frames_of, rows_of
from recsweep.errors import BadInput, one_line

BATCH = 1 << 20  # rows


def read_table(
    table: Table, path: Path, columns: Iterable[str], *, others: bool = False
) -> pl.DataFrame:
    """The named columns; rows in the file's order, files in the order of their names.

    With `others`, every other column comes after them.

    Columns of a CSV file are text, empty fields null; those of a Parquet file have its types.
    Packed files are unpacked on the way (`formats/packing.py`).

    Raises:
        BadInput: no such file, not what it says, a missing column, a row with too many fields, a
            text that has more than one reading, or a file that is a copy of another.
    """
    files, wanted = parts(path), list(dict.fromkeys(columns))
    frames = [_read_whole(table, file, wanted, others) for file in files]
    for frame, file in zip(frames, files, strict=True):
        _check_header_once(frame, table, file)
    _check_alike(frames, files)
    refuse_copies(files, [len(frame) for frame in frames])
    return pl.concat(frames)


def read_batches(table: Table, path: Path, columns: Iterable[str]) -> Iterator[pl.DataFrame]:
    """The named columns of one file, a batch at a time, for a table that needn't fit into memory.

    A packed text, one in another encoding than UTF-8, and one whose separator is longer than a
    byte do need it whole.

    Raises:
        BadInput: see `read_table`; a row in the middle is met when its batch is.
    """
    with _in_words(table, path):
        found = _scan(table, path, list(dict.fromkeys(columns)))
        if isinstance(found, pl.LazyFrame):
            found = found.collect_batches(chunk_size=BATCH, maintain_order=True, engine="streaming")
        row = 0
        for batch in found:
            _check_header_once(batch, table, path, row)
            row += len(batch)
            yield batch


def column_names(table: Table, path: Path) -> list[str]:
    """Of one file, in its order.

    Raises:
        BadInput: see `read_table`.
    """
    with _in_words(table, path):
        check_kind(table, path)
        if table.format == "parquet":
            return pl.scan_parquet(path, glob=False).collect_schema().names()
        if table.format == "histories":
            return [*HISTORY]
        content = content_of(table, path)
        return _names(rows_of(content, table.quote_sign, table.escape, path), table, path)[0]
    raise AssertionError  # for mypy: the context swallows nothing


def as_text(column: pl.Series, path: Path) -> pl.Series:
    """A column's values as text; empty text is null, as is a float that is no number.

    Raises:
        BadInput: values that have no text, such as lists and bytes.
    """
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise BadInput(
            f"{path}: column {column.name!r} holds {column.dtype}; expected text, numbers or times"
        )
    text = column.cast(pl.String)
    if column.dtype.is_float():  # pandas writes NaN where it has no value
        text = text.set(column.is_nan(), None)
    return text.set(text.str.strip_chars() == "", None)


def refuse_unread(
    column: pl.Series, unread: pl.Series, path: Path, expected: str, first_row: int = 0
) -> None:
    """Nothing, where no value is marked as unread.

    Raises:
        BadInput: names the first one's row and what was expected in its place.
    """
    if unread.any():
        row = int(unread.arg_true()[0])
        raise BadInput(
            f"{path}: row {first_row + row + 1}: {column.name} is {column[row]!r}, "
            f"expected {expected}"
        )


def refuse_other_spellings(values: pl.Series, named: Sequence[str], path: Path, key: str) -> None:
    """Nothing, where no other value is one of those that the key names but for its spelling.

    Raises:
        BadInput: such as `Yes` beside `yes`, or `1.0` beside `1`.
    """
    spelling = {_plainly(name): name for name in named}
    others = values.filter(~values.is_in(named)).value_counts(sort=True)
    for value, rows in others.iter_rows():
        if (name := spelling.get(_plainly(value))) is not None:
            raise BadInput(
                f"{path}: {values.name} is {value!r} in {rows} rows, and {name!r} in {key}; "
                f"name both, or let missing name it"
            )


def _plainly(value: str) -> str:
    return value.casefold().removesuffix(".0")


def _check_header_once(frame: pl.DataFrame, table: Table, path: Path, first_row: int = 0) -> None:
    """Files that were put together by `cat` have their header once more in the middle."""
    if table.format != "csv" or not table.header or len(frame.columns) < 2:
        return
    again = frame.select(pl.all_horizontal(pl.col(name) == name for name in frame.columns))
    rows = again.to_series().fill_null(False).arg_true()
    if len(rows):
        raise BadInput(f"{path}: row {first_row + rows[0] + 1} is the header again; leave it out")


def _read_whole(table: Table, path: Path, wanted: list[str], others: bool) -> pl.DataFrame:
    with _in_words(table, path):
        found = _scan(table, path, wanted, others)
        return (
            found.collect(engine="streaming")
            if isinstance(found, pl.LazyFrame)
            else pl.concat(found)
        )
    raise AssertionError  # for mypy: the context swallows nothing


def _check_alike(frames: list[pl.DataFrame], files: tuple[Path, ...]) -> None:
    for frame, file in zip(frames, files, strict=True):
        if frame.schema != frames[0].schema:
            raise BadInput(
                f"{file}: its columns have other names or types than those of {files[0].name}"
            )


@contextlib.contextmanager
def _in_words(table: Table, path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError:
        says = not_utf8(path) if table.in_utf8 else f"is not text in {table.encoding} (encoding)"
        raise BadInput(f"{path}: {says}") from None
    except DAMAGED as error:
        raise BadInput(f"{path}: {damaged(path, error)}") from None
    except pl.exceptions.PolarsError as error:
        text = one_line(error)
        if table.format == "csv" and "utf-8" in text:
            raise BadInput(f"{path}: {not_utf8(path)}") from None
        if table.format == "csv":
            _strictly(table, path)
        kind = {"csv": "CSV", "parquet": "Parquet"}.get(table.format, table.format)
        raise BadInput(f"{path}: is not valid {kind} ({text})") from None


def _scan(
    table: Table, path: Path, wanted: list[str], others: bool = False
) -> pl.LazyFrame | Iterator[pl.DataFrame]:
    check_kind(table, path)
    if table.format == "parquet":
        frame = pl.scan_parquet(path, glob=False)
        names = frame.collect_schema().names()
        return frame.select(_checked(names, wanted, others, path))
    content = content_of(table, path)
    if table.format == "histories":
        return iter([histories_of(content).select(_checked([*HISTORY], wanted, others, path))])
    _check_backslashes(table, content, path)
    rows = rows_of(content, table.quote_sign, table.escape, path)
    names, rows = _names(rows, table, path)
    if not table.header:
        top = list(islice(rows, LOOKED_AT))
        if looks_like_header(top[0], top[1:]):
            raise BadInput(
                f"{path}: row 1 looks like a header ({', '.join(top[0])[:80]}): set header: true; "
                "if it holds values, move it down"
            )
        rows = chain(top, rows)
    if len(names) == 1 < len(wanted):
        raise BadInput(
            f"{path}: {names[0]!r} is its only column, split by {table.separator!r}: is it split "
            "otherwise? (separator)"
        )
    wanted = _checked(names, wanted, others, path)
    if is_regular(content, table.quote_sign, table.escape):
        return _scan_csv(table, content, names, wanted)
    return frames_of(rows, names, wanted, path, 1)


def _names(
    rows: Iterator[list[str]], table: Table, path: Path
) -> tuple[list[str], Iterator[list[str]]]:
    """The columns' names, and the rows after the header."""
    first = next(rows, None)
    if first is None:
        raise BadInput(f"{path}: holds nothing but empty lines")
    if table.header:
        return first, rows
    return [f"column_{n + 1}" for n in range(len(first))], chain([first], rows)


def _checked(names: list[str], wanted: list[str], others: bool, path: Path) -> list[str]:
    if others:
        wanted = [*wanted, *(name for name in dict.fromkeys(names) if name not in wanted)]
    for name in wanted:
        if name not in names:
            raise BadInput(f"{path}: has no column {name!r}{nearest(name, names)}")
        if names.count(name) > 1:
            places = [n for n, other in enumerate(names, start=1) if other == name]
            raise BadInput(
                f"{path}: has {len(places)} columns called {name!r} "
                f"({', '.join(map(str, places))} of {len(names)}); rename all but one in the file"
            )
    return wanted


def _scan_csv(table: Table, content: Content, names: list[str], wanted: list[str]) -> pl.LazyFrame:
    # Names are ours: polars counts columns from 0 or from 1, depending on its version. Without a
    # header it would take the longest row for the width.
    ours = [f"{n}" for n in range(len(names))]
    frame = pl.scan_csv(
        content.source,
        separator=content.separator.decode(),
        has_header=table.header,
        new_columns=ours if table.header else None,
        schema=None if table.header else dict.fromkeys(ours, pl.String()),
        quote_char=table.quote_sign,
        infer_schema=False,
        glob=False,
    )
    places = [pl.col(f"{names.index(name)}").replace("", None).alias(name) for name in wanted]
    # Without this barrier only the wanted columns are parsed, and a row with too many fields
    # (an unquoted separator in a title) would be read as something else without a word.
    return frame.map_batches(
        lambda batch: batch.select(places),
        projection_pushdown=False,
        streamable=True,
        schema=dict.fromkeys(wanted, pl.String()),
    )


def _check_backslashes(table: Table, content: Content, path: Path) -> None:
    """Spark and MySQL put a backslash before a quote in a field, others double it; a field that
    ends in a backslash looks like the first.
    """
    sign = table.quote_sign
    if sign is None or table.escape is not None:
        return
    place = content.data.find(b"\\" + sign.encode())
    if place >= 0:
        line = content.data[:place].count(b"\n") + 1
        raise BadInput(
            f"{path}: line {line} has a backslash before a {sign}; set "
            rf"""escape: "\\" if it escapes the quote, or escape: '{sign}' if quotes are doubled"""
        )


def _strictly(table: Table, path: Path) -> None:
    """Read again as Python does, who names the row that is too long."""
    content = content_of(table, path)
    names, rows = _names(rows_of(content, table.quote_sign, table.escape, path), table, path)
    for _ in frames_of(rows, names, [], path, 1):
        pass
