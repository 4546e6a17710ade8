"""Reading a raw table: its columns as they stand, or one line on why it can't be read."""

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, cast

import polars as pl

from recsweep.config.files import nearest
from recsweep.config.schema import Table
from recsweep.errors import BadInput

SNIFFED = 1 << 16  # bytes
BATCH = 1 << 20  # rows


def read_table(table: Table, path: Path, columns: Iterable[str]) -> pl.DataFrame:
    """The named columns, rows in the file's order.

    Columns of a CSV file are text, empty fields null; those of a Parquet file have its types. A
    gzipped CSV file is unpacked on the way. Quotes have a meaning only where the separator is a
    single character other than a tab.

    Raises:
        BadInput: no such file, not what it says, a missing column, a row with too many fields.
    """
    with _in_words(table, path):
        return _scan(table, path, columns).collect(engine="streaming")
    raise AssertionError  # for mypy: the context swallows nothing


def read_batches(table: Table, path: Path, columns: Iterable[str]) -> Iterator[pl.DataFrame]:
    """The same a batch of `BATCH` rows at a time, for a table that needn't fit into memory.

    Unpacking (gzip), another encoding and a separator of several characters do need it whole.

    Raises:
        BadInput: see `read_table`; a row in the middle is met when its batch is.
    """
    with _in_words(table, path):
        yield from _scan(table, path, columns).collect_batches(
            chunk_size=BATCH, maintain_order=True, engine="streaming"
        )


@contextlib.contextmanager
def _in_words(table: Table, path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        raise BadInput(f"{path}: {_reason(error, table, path)}") from None


def _scan(table: Table, path: Path, columns: Iterable[str]) -> pl.LazyFrame:
    wanted = list(dict.fromkeys(columns))
    _sniff(table, path)
    if table.format == "parquet":
        frame = pl.scan_parquet(path, glob=False)
        _check(frame.collect_schema().names(), wanted, path)
        return frame.select(wanted)
    if len(table.separator.encode()) > 1:
        return _read_split(table, path, wanted).lazy()
    return _scan_csv(table, path, wanted)


def as_text(column: pl.Series, path: Path) -> pl.Series:
    """A column's values as text; empty text is null.

    Raises:
        BadInput: values that have no text, such as lists and bytes.
    """
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise BadInput(
            f"{path}: column {column.name!r} holds {column.dtype}; expected text, numbers or times"
        )
    text = column.cast(pl.String)
    return text.set(text.str.strip_chars() == "", None)


def _scan_csv(table: Table, path: Path, wanted: list[str]) -> pl.LazyFrame:
    frame = pl.scan_csv(
        path if table.encoding == "utf-8" else _as_utf8(table, path),
        separator=table.separator,
        has_header=table.header,
        quote_char=_quote(table),
        infer_schema=False,
        glob=False,
    )
    _check(frame.collect_schema().names(), wanted, path)
    # Without this barrier only the wanted columns are parsed, and a row with too many fields
    # (an unquoted separator in a title) would be read as something else without a word.
    return frame.map_batches(
        lambda batch: batch.select(wanted),
        projection_pushdown=False,
        streamable=True,
        schema=dict.fromkeys(wanted, pl.String()),
    )


def _read_split(table: Table, path: Path, wanted: list[str]) -> pl.DataFrame:
    """Lines split at a separator of several characters, which no CSV reader knows."""
    lines = pl.read_csv(
        path if table.encoding == "utf-8" else _as_utf8(table, path),
        separator="\n",
        has_header=False,
        new_columns=["line"],
        quote_char=None,
        infer_schema=False,
        glob=False,
    )["line"]
    first = (lines[0] or "").split(table.separator)
    names = first if table.header else [f"column_{n + 1}" for n in range(len(first))]
    _check(names, wanted, path)
    lines = lines.slice(int(table.header)).fill_null("")
    fields = lines.str.split(table.separator)
    odd = (fields.list.len() != len(names)).arg_true()
    if len(odd):
        row = int(odd[0])
        raise BadInput(
            f"{path}: row {row + 1} has {len(fields[row])} fields separated by "
            f"{table.separator!r}, expected {len(names)}"
        )
    return pl.DataFrame(
        {name: fields.list.get(names.index(name)).replace("", None) for name in wanted}
    )


def _check(names: list[str], wanted: list[str], path: Path) -> None:
    for name in wanted:
        if name not in names:
            raise BadInput(f"{path}: has no column {name!r}{nearest(name, names)}")


def _quote(table: Table) -> str | None:
    return None if table.separator == "\t" else '"'


def _as_utf8(table: Table, path: Path) -> io.BytesIO:
    with _open(path) as file:
        return io.BytesIO(file.read().decode(table.encoding).encode())


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path)) if packed else path.open("rb")


def _sniff(table: Table, path: Path) -> None:
    """Tell early, in plain words, that a file is something else."""
    try:
        if not path.exists():
            raise BadInput(f"{path}: no such file")
        if path.stat().st_size == 0:
            raise BadInput(f"{path}: is an empty file")
        with _open(path) as file:
            start = file.read(SNIFFED)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from None
    except (EOFError, zlib.error) as error:
        raise BadInput(f"{path}: is a damaged gzip file ({error})") from None
    parquet = start.startswith(b"PAR1")
    if table.format == "parquet" and not parquet:
        raise BadInput(f"{path}: is not a Parquet file; set format: csv if it is text")
    if table.format == "csv" and parquet:
        raise BadInput(f"{path}: is a Parquet file; set format: parquet")
    if table.format == "csv" and start.startswith(b"PK\x03\x04"):
        raise BadInput(f"{path}: is a zip archive; unpack it and name the file inside")
    if table.format == "csv" and b"\0" in start:
        raise BadInput(f"{path}: is a binary file or UTF-16, expected text in UTF-8")


def _reason(error: Exception, table: Table, path: Path) -> str:
    text = str(error).strip().splitlines()[0][:160] if str(error).strip() else repr(error)
    if "more fields than defined" in text:
        return _first_long_row(table, path)
    if "utf-8" in text or isinstance(error, UnicodeDecodeError):
        return "is not text in UTF-8; set encoding: latin-1 if that is what it is"
    if isinstance(error, OSError | EOFError | zlib.error):
        return f"is damaged or cannot be read ({text})"
    kind = {"csv": "CSV", "parquet": "Parquet"}[table.format]
    return f"is not valid {kind} ({text})"


def _first_long_row(table: Table, path: Path) -> str:
    with io.TextIOWrapper(_open(path), table.encoding, newline="") as text:
        rows = csv.reader(
            text,
            delimiter=table.separator,
            quoting=csv.QUOTE_MINIMAL if _quote(table) else csv.QUOTE_NONE,
        )
        with contextlib.suppress(csv.Error, UnicodeDecodeError, StopIteration):
            expected = len(next(rows))
            for number, row in enumerate(rows, start=1 if table.header else 2):
                if len(row) > expected:
                    return f"row {number} has {len(row)} fields, expected {expected}"
    return "a row has more fields than the first"
