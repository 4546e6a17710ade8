"""Rows of recommendations as CSV, Parquet or JSON lines, written as they come."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import polars as pl

from recsweep.config.files import nearest
from recsweep.errors import BadInput, WorkFailed

Format = Literal["csv", "parquet", "jsonl"]
SUFFIXES: dict[str, Format] = {".csv": "csv", ".parquet": "parquet", ".jsonl": "jsonl"}


class Sink(Protocol):
    """Takes frames of one schema."""

    def __call__(self, frame: pl.DataFrame) -> None: ...  # noqa: D102


def format_of(out: Path) -> Format:
    """By the file's name.

    Raises:
        BadInput: it says none.
    """
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(
            f"--out {out}: {suffix or 'no suffix'} is no format{nearest(suffix, SUFFIXES)}"
        )
    return SUFFIXES[suffix]


@contextmanager
def rows_to(out: Path | None) -> Iterator[Sink]:
    """A new file, which appears whole or not at all; None: standard output, as CSV.

    Raises:
        BadInput: the file is there, or its name says no format.
        WorkFailed: it can't be written.
    """
    if out is None:
        yield _csv(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    form = format_of(out)
    if out.exists():
        raise BadInput(f"{out}: is there already; give another --out, or move it away")
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            if form == "parquet":
                with _parquet(file) as sink:
                    yield sink
            else:
                yield _csv(file) if form == "csv" else _json_lines(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as error:
        raise WorkFailed(f"{out}: cannot be written ({error.strerror or error})") from None
    finally:
        temporary.unlink(missing_ok=True)


def _csv(file: BinaryIO) -> Sink:
    header = True

    def write(frame: pl.DataFrame) -> None:
        nonlocal header
        if "why" in frame.columns:
            frame = frame.with_columns(_in_words(frame["why"]))
        frame.write_csv(file, include_header=header)
        header = False

    return write


def _json_lines(file: BinaryIO) -> Sink:
    def write(frame: pl.DataFrame) -> None:
        frame.write_ndjson(file)

    return write


@contextmanager
def _parquet(file: BinaryIO) -> Iterator[Sink]:
    import pyarrow.parquet as pq

    writer: pq.ParquetWriter | None = None

    def write(frame: pl.DataFrame) -> None:
        nonlocal writer
        table = frame.to_arrow()
        writer = writer or pq.ParquetWriter(file, table.schema)
        writer.write_table(table)

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()


def _in_words(why: pl.Series) -> pl.Series:
    texts = [
        "; ".join(f"{r['title'] or r['course']} (+{r['share']:.3g})" for r in reasons)
        for reasons in why.to_list()
    ]
    return pl.Series("why", texts, dtype=pl.String)
