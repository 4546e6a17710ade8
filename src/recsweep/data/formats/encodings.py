"""Text in other encodings than UTF-8."""

import codecs
import re
from pathlib import Path

from recsweep.data.formats.packing import open_unpacked

BLOCK = 1 << 20  # bytes


def not_utf8(path: Path) -> str:
    """What to say of a file that is declared to be UTF-8 and is not, with a guess at what it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    sample = b""
    with open_unpacked(path) as file:
        while block := file.read(BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                sample = block
                break
    if looks_like_gbk(sample):
        return "is not text in UTF-8; it looks like GBK: set encoding: gbk"
    return (
        "is not text in UTF-8; set encoding: latin-1 if that is what it is, "
        "or another such as cp1252, gbk, big5 or shift_jis"
    )


def is_text_in(path: Path, encoding: str) -> bool:
    """Can a file, packed or not, be read in an encoding?"""
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_unpacked(path) as file:
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeError:
            return False
    return True


def looks_like_gbk(sample: bytes) -> bool:
    """Han characters of GB 2312 are two bytes above A0, and stand beside each other; letters with
    accents stand alone between others (RFC 1922, section 3). What GB 18030 writes in four bytes,
    such as ¥, tells nothing.
    """
    sample = re.sub(rb"[\x81-\xfe][0-9][\x81-\xfe][0-9]", b"", sample)
    runs = re.findall(rb"[\x80-\xff]+", sample)
    pairs = sum(bool(re.fullmatch(rb"(?:[\xb0-\xf7][\xa1-\xfe]|[\xa1-\xa9].)+", r)) for r in runs)
    return bool(runs) and pairs > 0.8 * len(runs)
