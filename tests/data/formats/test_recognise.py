"""What is said of a file that is something else than declared."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from packed import PACKED, zipped

from recsweep.config.schema import Table
from recsweep.data.formats.recognise import check_kind, damaged
from recsweep.errors import BadInput

Write = Callable[..., Path]
JSON, HTML = "JSON; write it as CSV or Parquet", "a page of HTML, perhaps of a download that failed"


def told(path: Path, **table: object) -> str | None:
    """What is said after the file's name; None: nothing."""
    try:
        check_kind(Table.model_validate({"path": str(path), **table}), path)
    except BadInput as refused:
        return str(refused).partition(f"{path}: ")[2]
    return None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (zipped({"a": "x"}), "a zip archive in a packed file; unpack it"),
        (b"\xd0\xcf\x11\xe0\xa1", "a workbook of a spreadsheet; save its sheet as CSV (UTF-8)"),
        (b"ARROW1\0\0", "an Arrow or Feather file; write it as Parquet"),
        (b"Obj\x01\x04", "an Avro file; write it as Parquet"),
        (b"SQLite format 3\0", "an SQLite database; export its table as CSV"),
        (b"7z\xbc\xaf\x27", "a 7z archive; unpack it"),
        (b"Rar!\x1a", "a RAR archive; unpack it"),
        (b"version https://git-lfs.x", "a pointer of Git LFS; fetch the file with git lfs pull"),
        (b"<!DOCTYPE html>", HTML),
        (b"\n <html>", HTML),
        (b'{"a": 1}', JSON),
        (b'\xef\xbb\xbf [ \n{"a": 1}]', JSON),
        (b"<?xml version='1.0'?>", "XML; write it as CSV or Parquet"),
        (b"x" * 257 + b"ustar\0", "a tar archive; unpack it and name the file or its folder"),
        ("a,b".encode("utf-16"), "text in UTF-16; set encoding: utf-16"),
        (b"\xfe\xff\0a", "text in UTF-16; set encoding: utf-16"),
        ("a,b".encode("utf-32"), "text in UTF-32; set encoding: utf-32"),
        (b"\0\0\xfe\xff\0\0\0a", "text in UTF-32; set encoding: utf-32"),
        (b"a,\0b\n", "a binary file or UTF-16, expected text in UTF-8"),
    ],
)
def test_another_kind_is_named_with_what_to_do_packed_or_not(
    write: Write, content: bytes, kind: str
) -> None:
    assert told(write(gzip.compress(content))) == f"is {kind}"
    if not content.startswith(b"PK"):  # as it is, an archive is a way of packing
        assert told(write(content)) == f"is {kind}"


@pytest.mark.parametrize(
    "content",
    [b"user,item\n", b"[a],b\n1,2\n", b"[ a, {b\n", b"\xef\xbb\xbfuser\n", b"x" * 258 + b"ustar",
     b"x" * 256 + b"ustar", b"a,JSON {", b"\n\n"],
)  # fmt: skip
def test_text_is_read_whatever_stands_in_it(write: Write, content: bytes) -> None:
    assert told(write(content)) is None
    assert told(write(PACKED["xz"](content))) is None


@pytest.mark.parametrize("sign", ["{", "[{", "<html>"])
def test_characters_of_utf_16_whose_bytes_are_signs_of_other_kinds_are_text(
    write: Write, sign: str
) -> None:
    first = sign.encode().decode("utf-16-le") if len(sign) % 2 == 0 else "类"  # 类 is {|
    content = f"{first},课程\n1,2\n".encode("utf-16-le")
    assert content.startswith(sign.encode())
    assert told(write(content), encoding="utf-16-le") is None


def test_zeros_are_left_to_an_encoding_that_may_have_them(write: Write) -> None:
    path = write("a,b\n".encode("utf-16"))
    assert told(path, encoding="utf-16") is None
    assert told(path, encoding="utf-8") is not None


def test_a_parquet_file_and_text_are_told_apart(write: Write) -> None:
    parquet, text = write(b"PAR1\0\0", "a"), write("user,item\n", "b")
    assert told(parquet, format="parquet") is None
    assert told(parquet) == "is a Parquet file; set format: parquet"
    assert told(text, format="parquet") == "is not a Parquet file; set format: csv if it is text"
    for start in (b"PAR", b"PARQ", b"xPAR1"):
        assert told(write(start), format="parquet") is not None


def test_a_parquet_file_is_not_to_be_packed(write: Write) -> None:
    want = "is packed with zstd; unpack it, or set format: csv if it is"
    assert told(write(PACKED["zstd"](b"PAR1")), format="parquet") == want
    assert told(write(PACKED["zstd"](b"PAR1"))) == "is a Parquet file; set format: parquet"


def test_a_file_that_is_missing_or_empty_is_told(write: Write, tmp_path: Path) -> None:
    assert told(tmp_path / "none") == "no such file"
    assert told(write(b"")) == "is an empty file"
    assert told(write(b"x")) is None
    assert told(tmp_path) == "cannot be read (Is a directory)"


def test_a_damaged_file_is_told_with_how_it_was_packed(write: Write) -> None:
    cut = write(gzip.compress(bytes(range(256)) * 9)[:40])
    said = told(cut)
    assert said is not None
    assert said.startswith("is a damaged gzip file (")
    assert damaged(cut, OSError(5, "Input/output error")) == (
        "is a damaged gzip file (Input/output error)"
    )


def test_what_an_error_says_or_else_its_kind_is_the_reason(write: Write, tmp_path: Path) -> None:
    text = write("a\n")
    assert damaged(text, RuntimeError("odd")) == "cannot be read (odd)"
    assert damaged(text, EOFError()) == "cannot be read (EOFError)"
    assert damaged(tmp_path / "gone", OSError(2, "No such file")) == "cannot be read (No such file)"
