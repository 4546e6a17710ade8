"""In which encoding a text file is written.

A short order of trials in place of a detector by statistics: the encodings that platforms export
are few, and tables hold little text beyond ASCII. charset-normalizer 3.5 takes the € of a table of
prices for cp775, and finds nothing where GB 18030 has a ¥.
"""

import codecs
from collections import Counter
from pathlib import Path

from recsweep.data.formats.packing import open_unpacked
from recsweep.errors import BadInput
from recsweep.stages.init.questions import Answers, Question
from recsweep.stages.init.words import speaks_chinese

BLOCK = 1 << 20  # bytes
SAMPLE = 1 << 22  # bytes
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins as that of UTF-16 does, so it is first
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
CHINESE = {"gb18030": ("gb2312", b"\xd7"), "big5hkscs": ("big5", b"\xc6")}
"""Of each the smaller encoding with the frequent characters, and the last of their first bytes.

What follows in GB 2312 is rare in Chinese, and is what two small letters with accents look like.
"""
FREQUENT = 0.6  # share of frequent characters: of Western text read as Chinese nearly none is
TORN = 0.02  # share of the characters beyond ASCII that may be broken in what is UTF-8 all the same


def find_encoding(path: Path, answers: Answers) -> str:
    """A name that Python knows; `utf-8` also where the file begins with a byte order mark.

    Raises:
        BadInput: UTF-8 with broken bytes, or a binary file.
    """
    with open_unpacked(path) as file:
        sample = file.read(SAMPLE)
    marked = next((name for mark, name in MARKS.items() if sample.startswith(mark)), None)
    if marked:
        return marked
    if b"\0" in sample:
        return _without_mark(sample, path)
    broken = _first_broken(path, "utf-8")
    if broken is None:
        return "utf-8"
    with open_unpacked(path) as file:  # around the first byte that is not UTF-8
        file.read(max(0, broken - SAMPLE // 2))
        sample = file.read(SAMPLE)
    shares = {name: _frequent(sample, name) for name in CHINESE}
    for name in sorted(CHINESE, key=lambda name: -shares[name]):
        likely = shares[name] >= FREQUENT or speaks_chinese(sample.decode(name, "ignore"))
        if likely and _first_broken(path, name) is None:
            return name
    _refuse_torn(sample, broken, path)
    best = "cp1252" if _first_broken(path, "cp1252") is None else "latin-1"
    word = next(w for w in sample.replace(b",", b" ").split() if not w.isascii())
    return answers.settle(
        Question(
            text=f"In which encoding is {path.name}?",
            why=f"neither UTF-8 nor GBK; as {best} one word is {word.decode(best)[:20]!r}",
            options=(),
            best=best,
            remedy="save it as UTF-8",
        )
    )


def _first_broken(path: Path, encoding: str) -> int | None:
    """Offset of the first bytes that can't be decoded, to the block or better; None: all can."""
    decoder, offset = codecs.getincrementaldecoder(encoding)(), 0
    with open_unpacked(path) as file:
        while True:
            block = file.read(BLOCK)
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return offset + min(error.start, len(block))
            if not block:
                return None
            offset += len(block)


def _without_mark(sample: bytes, path: Path) -> str:
    """Of UTF-16, where every other byte of ASCII is zero."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    quarter = len(sample) / 8
    if max(even, odd) < quarter or min(even, odd) > quarter / 4:
        raise BadInput(f"{path}: is a binary file; expected CSV or Parquet")
    return "utf-16-le" if odd > even else "utf-16-be"


def _refuse_torn(sample: bytes, broken: int, path: Path) -> None:
    text = sample.decode("utf-8", "replace")
    bad, beyond = text.count("\ufffd"), sum(not c.isascii() for c in text)
    if bad - 1 <= TORN * beyond and beyond > bad:
        with open_unpacked(path) as file:
            line = file.read(broken).count(b"\n") + 1
        raise BadInput(
            f"{path}: line {line} has bytes that are not UTF-8, and the rest is; "
            "mend that line, or export the file again"
        )


def _frequent(sample: bytes, encoding: str) -> float:
    """Share of the characters beyond ASCII that are among the frequent ones of the encoding: those
    of the first level of GB 2312 or of Big5.
    """
    core, last = CHINESE[encoding]
    beyond = Counter(c for c in sample.decode(encoding, "ignore") if not c.isascii())
    frequent = sum(n for c, n in beyond.items() if b"" < c.encode(core, "ignore")[:1] <= last)
    return frequent / max(1, beyond.total())
