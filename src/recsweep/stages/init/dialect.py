"""How a file is laid out: CSV or Parquet, its separator, quotes, and whether it has a header."""

import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recsweep.config.schema import Table
from recsweep.data.formats.packing import open_unpacked
from recsweep.data.formats.recognise import PARQUET, check_kind
from recsweep.errors import BadInput
from recsweep.stages.init.encoding import find_encoding
from recsweep.stages.init.questions import Answers
from recsweep.stages.init.words import is_known_name

SAMPLE = 1 << 18  # characters
ROWS = 500
SEPARATORS = (",", "\t", ";", "|", "::", "\x01", "^", " ")
STEADY = 0.95  # share of rows that have as many fields as most
PREAMBLE = 10  # lines at most that may stand before the table


def find_dialect(path: Path, answers: Answers) -> Table:
    """A table whose keys read the file.

    Raises:
        BadInput: it is of a kind that can't be read, or no separator fits.
    """
    table = Table(path=str(path))
    if not path.is_dir():
        with contextlib.suppress(OSError), path.open("rb") as file:
            if file.read(4) == PARQUET:
                return Table(path=str(path), format="parquet")
    check_kind(table.model_copy(update={"encoding": "latin-1"}), path)
    encoding = find_encoding(path, answers)
    text = _sample(path, encoding)
    found = max(_layouts(text), key=lambda layout: layout[0], default=None)
    if found is None:
        raise BadInput(
            f"{path}: no separator fits (tried comma, tab, semicolon, bar, ::, ^ and space); "
            "expected a table with a row a line"
        )
    _, keys, rows = found
    header = _has_header(rows)
    return Table.model_validate({"path": str(path), "encoding": encoding, "header": header, **keys})


def _sample(path: Path, encoding: str) -> str:
    """The first whole lines."""
    with open_unpacked(path) as file:
        data = file.read(4 * SAMPLE)
    text = data.decode(encoding, "ignore").removeprefix("\ufeff")[:SAMPLE]
    cut = len(data) == 4 * SAMPLE or len(text) == SAMPLE
    return text.rpartition("\n")[0] if cut and "\n" in text else text


def _layouts(text: str) -> Iterator[tuple[tuple[bool, int, int], dict[str, Any], list[list[str]]]]:
    """Every layout that fits, with how well: the steadier and the more columns, the better."""
    for place, separator in enumerate(SEPARATORS):
        for keys in _quotings(separator, text):
            rows = _rows(text, separator, keys)
            widths = Counter(len(row) for row, _ in rows)
            if not widths:
                continue
            width, steady = widths.most_common(1)[0]
            first = next(n for n, (row, _) in enumerate(rows) if len(row) == width)
            if width < 2 or steady < STEADY * (len(rows) - first) or first > PREAMBLE:
                continue
            skip = rows[first - 1][1] if first else 0
            found = {"separator": separator, **keys, **({"skip": skip} if skip else {})}
            likely = separator != " "  # dates and times hold spaces, too
            yield (likely, width, -place), found, [row for row, _ in rows[first:]]
            break


def _quotings(separator: str, text: str) -> Iterator[dict[str, str]]:
    """What quotes may mean, the usual first."""
    sign = re.escape(separator)
    around = re.search(rf'(^|{sign})"[^"\n]*"({sign}|\r?$)', text, re.MULTILINE)
    if len(separator) > 1:
        yield {}
    elif separator == "\t":
        yield from [{"quote": '"'}, {}] if around else [{}]
    elif '\\"' in text:
        yield from [{"escape": "\\"}, {"escape": '"'}, {"quote": ""}]
    else:
        yield from [{}, {"quote": ""}]


def _rows(text: str, separator: str, keys: dict[str, str]) -> list[tuple[list[str], int]]:
    """Rows with the lines read so far; none where quotes don't fit."""
    if len(separator) > 1:
        lines = enumerate(text.splitlines()[:ROWS], start=1)
        return [(line.split(separator), number) for number, line in lines if line]
    default = "" if separator == "\t" else '"'
    quote = keys.get("quote", default)
    escape = keys.get("escape")
    reader = csv.reader(
        text.splitlines(keepends=True),
        delimiter=separator,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        escapechar=escape if escape != quote else None,
        strict=True,
    )
    rows: list[tuple[list[str], int]] = []
    try:
        for row in reader:
            if row:
                rows.append((row, reader.line_num))
            if len(rows) == ROWS:
                break
    except csv.Error:
        return []
    return rows


def _has_header(rows: list[list[str]]) -> bool:
    """A header names its columns: its cells differ, and none looks like the values below it."""
    first, below = rows[0], rows[1:]
    if any(is_known_name(cell) for cell in first):
        return True
    if len(set(first)) < len(first) or any(not cell.strip() for cell in first):
        return False
    for place, cell in enumerate(first):
        column = [row[place] for row in below if len(row) > place and row[place]]
        if column and _is_number(cell):
            return False
        if cell in column or (column and _shape(cell) == _shape(column[0]) != "a"):
            return False
    return bool(below)


def _is_number(cell: str) -> bool:
    return re.fullmatch(r"[-+]?[\d.,:/\s]*\d[\d.,:/\s]*", cell.strip()) is not None


def _shape(cell: str) -> str:
    """`u12` is `a1`, `2024-03-05` is `1-1-1`."""
    return re.sub(r"\d+", "1", re.sub(r"[^\W\d_]+", "a", cell.strip()))
