"""How a file is packed, and what it is unpacked."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from packed import PACKED, zipped

from recsweep.data.formats.packing import open_unpacked, packing
from recsweep.errors import BadInput

Write = Callable[..., Path]


@pytest.mark.parametrize("how", PACKED)
def test_a_packed_file_is_told_by_its_first_bytes_and_unpacked(write: Write, how: str) -> None:
    content = "课程,".encode() * 100
    path = write(PACKED[how](content), "log.csv")
    assert packing(path) == how
    with open_unpacked(path) as file:
        assert file.read() == content


@pytest.mark.parametrize(
    "content", [b"", b"\x1f", b"user,item\n", b"xx\x1f\x8b\x08", b"PK\x03\x05"]
)
def test_any_other_file_is_taken_as_it_is(write: Write, content: bytes) -> None:
    path = write(content, "log.csv.gz")
    assert packing(path) is None
    with open_unpacked(path) as file:
        assert file.read() == content


def held_open(path: Path) -> bool:
    """Does this process hold the file open? (Linux)"""
    return str(path) in {os.path.realpath(held) for held in Path("/proc/self/fd").iterdir()}


def test_an_archive_is_closed_with_its_file(write: Write) -> None:
    path = write(zipped({"a/": "", "a/log.csv": "x"}), "log.zip").resolve()
    file = open_unpacked(path)
    assert held_open(path)
    assert file.read() == b"x"
    file.close()
    assert file.closed
    assert not held_open(path)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"b/": ""}, r"is a zip archive of 0 files \(nothing\); unpack it"),
        ({"__MACOSX/a": "", "b/": ""}, r"is a zip archive of 0 files \(nothing\)"),
        ({"a": "1", "b": "2"}, r"is a zip archive of 2 files \(a, b\); unpack it"),
        (dict.fromkeys("abcdefg", ""), r"of 7 files \(a, b, c, d, e\)"),
        ({"[Content_Types].xml": ""}, r"is a workbook of a spreadsheet"),
        ({"mimetype": ""}, r"is a workbook of a spreadsheet"),
    ],
)
def test_an_archive_that_is_not_one_file_is_refused_and_closed(
    write: Write, members: dict[str, str], message: str
) -> None:
    path = write(zipped(members), "log.zip").resolve()
    with pytest.raises(BadInput, match=message) as refused:
        open_unpacked(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert not held_open(path)
