"""Raw tables: where they lie and how they are written."""

import codecs
from collections.abc import Mapping
from os import PathLike, fspath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from recsweep.config.schema.base import Name, RawPath, Schema, later
from recsweep.config.schema.frames import parquet_of, path_of

NO_FILES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined")
"""Codecs of Python that no file is written in."""


class Package(Schema):
    """A Python package that carries data files, in its wheel or in its source archive.

    Of a wheel no code is run. Of a source archive pip asks the metadata, which runs its set-up
    code; so its own checksum has to be given, and is compared before.
    """

    name: Name
    version: Annotated[str, Field(pattern=r"^\d[A-Za-z0-9.!+-]*$")]
    sha256: Mapping[str, str]  # member, below the archive's own folder -> sha256 of its bytes
    source_sha256: str | None = later(None)  # of the source archive; None: the wheel is meant


def _known_encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
    except LookupError:
        codec = None
    if codec is None or not codec._is_text_encoding or codec.name in NO_FILES:
        raise ValueError(f"{name!r} is no encoding of text; such are utf-8, latin-1, gbk, utf-16")
    return name


def _plain_separator(separator: str) -> str:
    if len(separator) > 1 and separator.startswith("\\"):
        raise ValueError(
            f"found a backslash and {separator[1:]!r}; write it in double quotes, as in "
            f'"\\t", or without the backslash'
        )
    if any(sign in separator for sign in '\r\n"'):
        raise ValueError("a separator holds no line end and no double quote")
    return separator


def _ascii_sign(sign: str) -> str:
    if not sign.isascii() or sign in ("\r", "\n", " "):
        raise ValueError(f"found {sign!r}, expected a sign of ASCII")
    return sign


Sign = Annotated[str, Field(min_length=1, max_length=1), AfterValidator(_ascii_sign)]


class Table(Schema):
    """One raw table. `path` may hold `${VARIABLES}`; a folder or a pattern such as `day-*.csv`
    stands for all its files; `package:<member>` is a file of `package`.

    In Python, `path` may be a frame as well; `frame:<sha256>` stands for it in the record.
    """

    path: RawPath
    # histories: lines of a learner's id and then its courses, oldest first; columns user and item
    format: Literal["csv", "parquet", "histories"] = "csv"
    separator: Annotated[
        str, Field(min_length=1, max_length=8), AfterValidator(_plain_separator)
    ] = ","
    quote: Sign | Literal[""] | None = later(None)  # "": quotes mean nothing
    # What stands before a quote in a quoted field: a backslash, or the quote itself.
    escape: Sign | None = later(None)
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8"
    skip: Annotated[int, Field(ge=0)] = later(0)  # lines that stand before the header
    header: bool = True  # without one, columns are called column_1, column_2, …
    sha256: str | None = None  # of the file's bytes as they lie on disk
    _content: bytes | None = PrivateAttr(None)

    @model_validator(mode="wrap")
    @classmethod
    def _take_frame(cls, raw: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        path = raw.get("path") if isinstance(raw, Mapping) else None
        if isinstance(path, PathLike):
            return handler({**raw, "path": fspath(path)})
        if path is None or isinstance(path, str | int | float | list | dict):
            return handler(raw)  # a file; or a mistake in one, which is the field's to refuse
        content = parquet_of(path)
        table = handler({**raw, "path": path_of(content), "format": "parquet"})
        table._content = content
        return table

    @property
    def content(self) -> bytes | None:
        """A Parquet file's bytes, where a frame was given that no disk may have yet."""
        return self._content

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.quote and len(self.separator) > 1:
            raise ValueError("quote needs a separator of one character")
        if self.separator in (self.quote_sign, self.escape):
            raise ValueError("separator, quote and escape must be different signs")
        return self

    @property
    def quote_sign(self) -> str | None:
        """What encloses a field; None: nothing does."""
        if self.quote is not None:
            return self.quote or None
        return None if self.separator == "\t" or len(self.separator) > 1 else '"'

    @property
    def in_utf8(self) -> bool:
        """Is it text in UTF-8, with a byte order mark or without?"""
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig")
