"""Text files in one form, whatever they were written in."""

import gzip
import mmap
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from recsweep.config.schema import Table
from recsweep.data.formats.content import Content, content_of
from recsweep.errors import BadInput

Write = Callable[..., Path]
TEXT = "user,item\nu1,课程\n"


def content(path: Path, **table: object) -> Content:
    return content_of(Table.model_validate({"path": str(path), **table}), path)


@pytest.mark.parametrize(
    "table", [{}, {"separator": ";"}, {"encoding": "UTF-8"}, {"encoding": "utf-8-sig"}]
)
def test_a_plain_file_in_utf_8_is_left_where_it_lies(
    write: Write, table: dict[str, object]
) -> None:
    path = write(TEXT)
    found = content(path, **table)
    assert found.source == path
    assert isinstance(found.data, mmap.mmap)
    assert found.data[:] == TEXT.encode()
    assert found.separator == str(table.get("separator", ",")).encode()


def held(found: Content) -> str:
    """What is held in memory, the same in both places."""
    assert isinstance(found.source, BytesIO)
    assert found.source.getvalue() == found.data
    return bytes(found.data).decode()


def test_a_packed_file_is_unpacked_in_memory(write: Write) -> None:
    found = content(write(gzip.compress(TEXT.encode())))
    assert held(found) == TEXT
    assert found.separator == b","


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "utf-32"])
def test_another_encoding_becomes_utf_8(write: Write, encoding: str) -> None:
    assert held(content(write(TEXT.encode(encoding)), encoding=encoding)) == TEXT


def test_text_in_another_encoding_than_declared_is_told(write: Write) -> None:
    with pytest.raises(UnicodeDecodeError):
        content(write(b"\xff\xff"), encoding="big5")


@pytest.mark.parametrize(("skip", "left"), [(1, "b\r\nc\nd"), (2, "c\nd"), (3, "d"), (5, "")])
def test_lines_before_the_header_are_left_out(write: Write, skip: int, left: str) -> None:
    assert held(content(write("a\nb\r\nc\nd"), skip=skip)) == left


@pytest.mark.parametrize("separator", ["::", "§"])
def test_a_separator_of_several_bytes_becomes_one_that_is_free(
    write: Write, separator: str
) -> None:
    text = separator.join("abc")
    found = content(write(text), separator=separator)
    assert (held(found), found.separator) == ("a\x1fb\x1fc", b"\x1f")
    found = content(write(text + "\x1f\x1e"), separator=separator)
    assert (held(found), found.separator) == ("a\x1db\x1dc\x1f\x1e", b"\x1d")


def test_a_separator_of_one_sign_is_never_replaced(write: Write) -> None:
    found = content(write("a|b\x1f"), separator="|", encoding="ascii")
    assert (held(found), found.separator) == ("a|b\x1f", b"|")


def test_no_free_sign_for_a_long_separator_is_told(write: Write) -> None:
    path = write("a::b\x1c\x1d\x1e\x1f")
    with pytest.raises(BadInput) as refused:
        content(path, separator="::")
    assert str(refused.value) == f"{path}: has control characters beside the separator b'::'"
