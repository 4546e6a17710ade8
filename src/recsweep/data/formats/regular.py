"""May polars read a text? It may where quotes and line ends have only one reading.

It takes a stray quote, an empty line or a carriage return for something else than Python's csv
module does, without a word; such files are left to that module, which is slower and strict.
"""

import re

import numpy as np

from recsweep.data.formats.content import BOM, Content

BLOCK = 1 << 24  # bytes
NEWLINE, RETURN = 10, 13


def is_regular(content: Content, quote: str | None, escape: str | None) -> bool:
    """Is every line a row that ends in LF or CR LF, and every quote where RFC 4180 wants it?"""
    data = content.data
    head = data[:5].removeprefix(BOM)
    if head.startswith((b"\n", b"\r")) or data.find(b"\n\n") >= 0 or data.find(b"\n\r") >= 0:
        return False
    if data[-1:] == content.separator:  # polars loses an empty field at the very end
        return False
    if data.find(b"\r") >= 0 and re.search(rb"\r(?!\n)", data):
        return False
    if escape not in (None, quote) and data.find(escape.encode()) >= 0:
        return False
    if quote is None or data.find(quote.encode()) < 0:
        return True
    return len(quote.encode()) == 1 and _quotes_stand_right(content, ord(quote))


def _quotes_stand_right(content: Content, quote: int) -> bool:
    """Counted from 0, an even quote opens a field or is the second of a doubled one; an odd quote
    closes a field or is the first of a doubled one.
    """
    data = np.frombuffer(content.data, np.uint8)
    begins = np.zeros(256, bool)
    begins[[ord(content.separator), NEWLINE, quote]] = True
    ends = begins.copy()
    ends[RETURN] = True
    first = 3 if content.data[:3] == BOM else 0
    seen = 0
    for start in range(first, len(data), BLOCK):
        at = start + np.flatnonzero(data[start : start + BLOCK] == quote)
        opening, closing = at[seen % 2 :: 2], at[1 - seen % 2 :: 2]
        opening = opening[opening > first]
        closing = closing[closing < len(data) - 1]
        if not (begins[data[opening - 1]].all() and ends[data[closing + 1]].all()):
            return False
        seen += len(at)
    return seen % 2 == 0
