"""A text file brought into one form: bytes of UTF-8 whose separator is one byte."""

import mmap
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from recsweep.config.schema import Table
from recsweep.data.formats.packing import open_unpacked, packing
from recsweep.errors import BadInput

BOM = b"\xef\xbb\xbf"
STAND_INS = (b"\x1f", b"\x1e", b"\x1d", b"\x1c")
"""One of these control characters takes the place of a separator that is longer than a byte."""


@dataclass(frozen=True, slots=True)
class Content:
    """Where it lies, its bytes, and its separator."""

    source: Path | BytesIO
    data: mmap.mmap | bytes
    separator: bytes


def content_of(table: Table, path: Path) -> Content:
    """A plain file in UTF-8 is left where it lies; any other is held in memory, whole.

    Raises:
        UnicodeDecodeError: it is in another encoding than declared.
        BadInput: no stand-in for a long separator is free.
    """
    separator = table.separator.encode()
    plain = table.in_utf8 and len(separator) == 1 and not table.skip
    if plain and packing(path) is None:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return Content(path, data, separator)
    with open_unpacked(path) as file:
        whole = file.read()
    if not table.in_utf8:
        whole = whole.decode(table.encoding).encode()
    if table.skip:
        whole = b"".join(whole.splitlines(keepends=True)[table.skip :])
    if len(separator) > 1:
        free = [mark for mark in STAND_INS if mark not in whole]
        if not free:
            raise BadInput(f"{path}: has control characters beside the separator {separator!r}")
        whole, separator = whole.replace(separator, free[0]), free[0]
    return Content(BytesIO(whole), whole, separator)
