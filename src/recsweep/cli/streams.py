"""Characters that a terminal's encoding lacks are written otherwise; output never fails on one."""

import codecs
import sys
import unicodedata

_OTHERWISE = {"±": "+/-", "→": "->", "—": "-", "–": "-", "−": "-", "×": "x", "≤": "<=", "≥": ">="}


def write_anything() -> None:
    """Let standard output and error take every text, in ASCII, Latin-1, GBK or any encoding.

    Bytes of a file's name that are no text are among what UTF-8 itself doesn't take.
    """
    codecs.register_error("recsweep", _otherwise)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # not every stand-in has it
        if reconfigure is not None:
            reconfigure(errors="recsweep")


def _otherwise(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    failed = error.object[error.start : error.end]
    return "".join(_spelt(character) for character in failed), error.end


def _spelt(character: str) -> str:
    if character in _OTHERWISE:
        return _OTHERWISE[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore")
    return (plain or character.encode("ascii", "backslashreplace")).decode("ascii")
