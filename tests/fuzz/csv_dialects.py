"""Texts in every dialect of CSV, whole and damaged, against Python's csv module."""

import bz2
import csv
import gzip
import io
import lzma
import random
from pathlib import Path
from typing import Any

from recsweep.config.schema import Table
from recsweep.data.reading import read_table
from recsweep.errors import BadInput

SEPARATORS = (",", ",", ";", "|", "\t", " ", ":", "\x01", "~", "§", "::", "||")
CELLS = (
    "", "", " ", "u1", "u2", "1700000000", "1700000000.25", "2024-05-31 18:30:00", "007", "NULL",
    "\\N", 'a 5" disc', '"', '""', 'say "hi"', "it's", "two\nlines", "a\r\nb", "c\rd",
    "comma, semi;", "C:\\", "\\", '\\"', "a\\,b", "tab\there", " padded ",
    "é", "课程", "::", "#1", "\ufeff",
)  # fmt: skip
DAMAGE = ('"', '"', "\\", "\n", "\n\n", "\r", ",", "'", '\\"', "\ufeff", " ", None)
ENCODINGS = ("utf-8",) * 5 + ("utf-8-sig", "utf-16", "gb18030", "latin-1")
PACK = (None, None, None, gzip.compress, bz2.compress, lzma.compress)
Row = tuple[str | None, ...]


class CsvDialects:
    """One file, written anew for every case."""

    def __init__(self, root: Path) -> None:
        self.path = root / "table.csv"

    def case(self, rng: random.Random) -> tuple[str, str | None]:
        """What was written, and the problem, if what is read differs from what Python reads."""
        keys, text = _written(rng)
        if text is None:
            return "no such text", None
        said = "whole"
        if rng.random() < 0.4:
            text, said = _damaged(text, rng)
        encoding = rng.choice(ENCODINGS)
        try:
            content = text.encode(encoding)
        except UnicodeEncodeError:
            encoding, content = "utf-8", text.encode()
        pack = rng.choice(PACK)
        self.path.write_bytes(pack(content) if pack else content)
        keys["encoding"] = encoding
        table = Table.model_validate({"path": str(self.path), **keys})
        said = f"{said}: {keys} {text!r:.300}"
        try:
            found = read_table(table, self.path, [], others=True)
        except BadInput as error:
            refused = str(error)
            return said, None if "\n" not in refused else f"more than a line: {refused}"
        return said, _difference(found.columns, found.rows(), expected(text, table))


def expected(text: str, table: Table) -> tuple[list[str], list[Row]] | str:
    """Names and rows as Python has them, or why it has none."""
    text = text.removeprefix("\ufeff")
    if len(table.separator) > 1:
        lines = io.StringIO(text, newline=None)
        rows = [line.rstrip("\n").split(table.separator) for line in lines if line != "\n"]
    else:
        own = table.escape not in (None, table.quote_sign)
        reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=table.separator,
            quotechar=table.quote_sign,
            quoting=csv.QUOTE_MINIMAL if table.quote_sign else csv.QUOTE_NONE,
            escapechar=table.escape if own else None,
            strict=True,
        )
        try:
            rows = [row for row in reader if row]
        except csv.Error as error:
            return str(error)
    if not rows:
        return "nothing in it"
    names = rows.pop(0) if table.header else [f"column_{n + 1}" for n in range(len(rows[0]))]
    if any(len(row) > len(names) for row in rows):
        return "a row is too long"
    return names, [
        tuple(cell or None for cell in row) + (None,) * (len(names) - len(row)) for row in rows
    ]


def _difference(
    names: list[str], rows: list[Row], right: tuple[list[str], list[Row]] | str
) -> str | None:
    if isinstance(right, str):
        return f"read, though Python says: {right}"
    if names != right[0]:
        return f"columns {names}, expected {right[0]}"
    if len(rows) != len(right[1]):
        return f"{len(rows)} rows, expected {len(right[1])}"
    for number, (one, other) in enumerate(zip(rows, right[1], strict=True), start=1):
        if one != other and not _null_kept(one, other):
            return f"row {number} is {one}, expected {other}"
    return None


def _null_kept(one: Row, other: Row) -> bool:
    r"""With an escape, \N stays what it is: a null, where Python has an N."""
    return all(a == b or (a == "\\N" and b == "N") for a, b in zip(one, other, strict=True))


def _written(rng: random.Random) -> tuple[dict[str, Any], str | None]:
    separator = rng.choice(SEPARATORS)
    keys: dict[str, Any] = {"separator": separator, "header": rng.random() < 0.6}
    width = rng.randint(1, 5)
    rows = [[rng.choice(CELLS) for _ in range(width)] for _ in range(rng.randint(0, 12))]
    rows.insert(0, [f"name {n}" for n in range(width)])
    end = rng.choice(("\n", "\n", "\r\n", "\r"))
    if len(separator) > 1:
        return keys, end.join(separator.join(row) for row in rows)
    dialect: dict[str, Any] = {"delimiter": separator, "lineterminator": end}
    dialect["quoting"] = rng.choice(
        (csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE, csv.QUOTE_NONNUMERIC)
    )
    if rng.random() < 0.2:
        dialect["quotechar"] = keys["quote"] = "'"
    elif separator == "\t" and dialect["quoting"] != csv.QUOTE_NONE:
        keys["quote"] = '"'
    if rng.random() < 0.3 or dialect["quoting"] == csv.QUOTE_NONE:
        dialect |= {"escapechar": "\\", "doublequote": False}
        if rng.random() < 0.7:
            keys["escape"] = "\\"
    elif rng.random() < 0.4:
        keys["escape"] = keys.get("quote", '"')
    if dialect["quoting"] == csv.QUOTE_NONE and rng.random() < 0.5:
        keys["quote"] = ""
    text = io.StringIO(newline="")
    try:
        csv.writer(text, **dialect).writerows(rows)
        Table.model_validate({"path": "x", **keys})
    except (csv.Error, ValueError):
        return keys, None
    return keys, text.getvalue()


def _damaged(text: str, rng: random.Random) -> tuple[str, str]:
    said = []
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randint(0, len(text))
        what = rng.choice(
            ('"', '"', "\\", "\n", "\n\n", "\r", ",", "'", '\\"', "\ufeff", " ", None)
        )
        text = text[:at] + text[at + 1 :] if what is None else text[:at] + what + text[at:]
        said.append(f"{what!r} at {at}")
    return text, ", ".join(said)
