"""Rows of CSV as Python's csv module has them, strictly."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from recsweep.data.formats.content import Content
from recsweep.errors import BadInput

BATCH = 1 << 17  # rows
LONGEST_FIELD = 1 << 30  # characters


def rows_of(
    content: Content, quote: str | None, escape: str | None, path: Path
) -> Iterator[list[str]]:
    """Every row, the header included, empty lines left out.

    Raises:
        BadInput: a quote is not closed, is closed amid a field, or may be escaped or not.
    """
    csv.field_size_limit(LONGEST_FIELD)
    own = None if escape == quote else escape  # a doubled quote is no escape
    with _text(content) as text:
        lines: Iterable[str] = text
        if own is not None:
            lines = _nulls_kept(text, content.separator.decode(), own)
        reader = csv.reader(
            lines,
            delimiter=content.separator.decode(),
            quotechar=quote,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            escapechar=own,
            strict=True,
        )
        line = 0  # the last one of the row before
        try:
            for row in reader:
                line = reader.line_num
                if row:
                    yield row
        except csv.Error as error:
            raise BadInput(f"{path}: {_words(error, line + 1, quote)}") from None


def frames_of(
    rows: Iterator[list[str]], names: list[str], wanted: list[str], path: Path, first: int
) -> Iterator[pl.DataFrame]:
    """Batches of the wanted columns as text; a row that is too short lacks its last fields.

    Raises:
        BadInput: a row has more fields than there are names.
    """
    width, places = len(names), {name: names.index(name) for name in wanted}
    yield pl.DataFrame(schema=dict.fromkeys(wanted, pl.String))
    while batch := list(islice(rows, BATCH)):
        for number, row in enumerate(batch, start=first):
            if len(row) > width:
                raise BadInput(f"{path}: row {number} has {len(row)} fields, expected {width}")
            row.extend([""] * (width - len(row)))
        first += len(batch)
        yield pl.DataFrame(
            {
                name: pl.Series([row[place] or None for row in batch], dtype=pl.String)
                for name, place in places.items()
            }
        )


def _text(content: Content) -> io.TextIOWrapper:
    source = content.source
    raw = io.BytesIO(source.getbuffer()) if isinstance(source, io.BytesIO) else source.open("rb")
    return io.TextIOWrapper(raw, "utf-8-sig", newline="")


def _nulls_kept(lines: Iterable[str], separator: str, escape: str) -> Iterator[str]:
    r"""MySQL and Hive write a null as \N; to Python an escaped N is an N."""
    sep, esc = re.escape(separator), re.escape(escape)
    null = re.compile(rf"(?:^|(?<={sep})){esc}N(?=$|[\r\n]|{sep})")
    continued = False  # by a line end that is escaped

    def kept(found: re.Match[str]) -> str:
        return found[0] if continued and found.start() == 0 else escape + found[0]

    for line in lines:
        yield null.sub(kept, line)
        bare = line.rstrip("\r\n")
        continued = (len(bare) - len(bare.rstrip(escape))) % 2 == 1


def _words(error: csv.Error, line: int, quote: str | None) -> str:
    advice = (
        r"""if a backslash escapes quotes, set escape: "\\"; """
        """if quotes mean nothing here, set quote: "" """.rstrip()
    )
    if "expected after" in str(error):
        return f"line {line} has text after the {quote} that closes a field; {advice}"
    if "unexpected end" in str(error):
        return f"line {line} has a field that {quote} opens and nothing closes; {advice}"
    return f"line {line} is not valid CSV ({error})"
