"""Packed files, folders, patterns, encodings, and files that are something else."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from packed import PACKED, arrow, zipped

from recsweep.config.schema import Table
from recsweep.data.formats.parts import check_order
from recsweep.data.reading import read_table
from recsweep.errors import BadInput

Write = Callable[..., Path]
TEXT = "user,item\n" + "".join(f"u{n},课程{n}\n" for n in range(500))
ROWS = [(f"u{n}", f"课程{n}") for n in range(500)]


def read(path: Path, **table: object) -> list[tuple[object, ...]]:
    return read_table(
        Table.model_validate({"path": str(path), **table}), path, [], others=True
    ).rows()


@pytest.mark.parametrize("packing", PACKED)
def test_a_packed_file_is_read_whatever_its_name(write: Write, packing: str) -> None:
    assert read(write(PACKED[packing](TEXT.encode()), "log.csv")) == ROWS


@pytest.mark.parametrize("packing", PACKED)
def test_a_packed_file_that_was_cut_off_is_refused(write: Write, packing: str) -> None:
    whole = PACKED[packing](TEXT.encode())
    with pytest.raises(BadInput, match=f"is a damaged {packing} file"):
        read(write(whole[: len(whole) // 2], "log.csv"))


def test_members_of_a_packed_file_follow_each_other(write: Write) -> None:
    half = len(TEXT) // 2
    for pack in (gzip.compress, bz2.compress, lzma.compress, arrow("zstd")):
        path = write(pack(TEXT[:half].encode()) + pack(TEXT[half:].encode()), "log.csv")
        assert read(path) == ROWS


def test_an_archive_of_several_files_is_refused_with_their_names(write: Write) -> None:
    with pytest.raises(BadInput, match=r"zip archive of 2 files \(a.csv, b.csv\); unpack it"):
        read(write(zipped({"a.csv": "x", "b.csv": "y"}), "both.zip"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped({"[Content_Types].xml": "", "xl/workbook.xml": ""}), "save its sheet as CSV"),
        (
            zipped({"mimetype": "vnd.oasis", "content.xml": ""}),
            "save its sheet as CSV",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a workbook of a spreadsheet; save its sheet as CSV"),
        (b"ARROW1\0\0", "write it as Parquet"),
        (b"SQLite format 3\0", "export its table as CSV"),
        (b'{"user": 1}\n', "is JSON; write it as CSV or Parquet"),
        (b'[\n {"user": 1}\n]\n', "is JSON; write it as CSV or Parquet"),
        (b'\xef\xbb\xbf[{"user": 1}]', "is JSON; write it as CSV or Parquet"),
        (b'\n  [ {"user": 1} ]\n', "is JSON; write it as CSV or Parquet"),
        (b"\n<!DOCTYPE html>\n", "is a page of HTML"),
        (b'<?xml version="1.0"?>\n<rows/>\n', "is XML; write it as CSV or Parquet"),
        (b"<!DOCTYPE html><p>Not found", "is a page of HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"x" * 257 + b"ustar\0", "is a tar archive; unpack it"),
        (gzip.compress(b"x" * 257 + b"ustar\0", mtime=0), "is a tar archive; unpack it"),
        (b"\n\n\n", "holds nothing but empty lines"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_to_do(
    write: Write, content: bytes, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        read(write(content, "export"))


def test_a_packed_parquet_file_is_refused(write: Write) -> None:
    with pytest.raises(BadInput, match="is packed with gzip; unpack it"):
        read(write(gzip.compress(b"PAR1"), "log"), format="parquet")


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-16", "big5", "UTF-8", "utf-8-sig"])
def test_a_declared_encoding_is_read(write: Write, encoding: str) -> None:
    text = TEXT.replace("课", "開") if encoding == "big5" else TEXT
    found = read(write(text.encode(encoding), "log.csv"), encoding=encoding)
    assert found == [(u, i.replace("课", "開") if encoding == "big5" else i) for u, i in ROWS]
    assert read(write(gzip.compress(text.encode(encoding))), encoding=encoding) == found


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (TEXT.encode("gbk"), "it looks like GBK: set encoding: gbk"),
        ("id,title\n1,“深度学习”，入门\n".encode("gbk"), "set encoding: gbk"),
        ("id,title\n1,Amélie\n2,naïve\n".encode("latin-1"), "set encoding: latin-1"),
        (TEXT.encode("utf-16"), "is text in UTF-16; set encoding: utf-16"),
        (TEXT.encode("utf-32"), "is text in UTF-32; set encoding: utf-32"),
    ],
)
def test_text_that_is_not_utf_8_is_refused_with_a_guess(
    write: Write, content: bytes, advice: str
) -> None:
    for packed in (content, gzip.compress(content)):
        with pytest.raises(BadInput, match=advice):
            read(write(packed))


def test_text_in_another_encoding_than_declared_is_refused(write: Write) -> None:
    with pytest.raises(BadInput, match="is not text in big5"):
        read(write(b"a\n\xff\xff\n"), encoding="big5")


def test_a_folder_and_a_pattern_stand_for_their_files_in_the_order_of_names(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "export"
    (folder / "day=2").mkdir(parents=True)
    (folder / "_SUCCESS").touch()
    (folder / ".part-1.crc").write_bytes(b"\0")
    (folder / "_temporary").mkdir()
    (folder / "_temporary" / "part-9.csv").write_text("user,item\n7,8\n")
    (folder / "part-9").mkdir()  # a pattern stands for files alone
    (folder / "part-2.csv").write_text("item,user\n4,3\n")
    (folder / "part-1.csv.gz").write_bytes(gzip.compress(b"user,item\n1,2\n"))
    (folder / "day=2" / "part-0.csv").write_text("user,item\n5,6\n")

    def users(path: Path) -> list[str]:
        return read_table(Table(path=str(path)), path, ["user"])["user"].to_list()

    assert users(folder) == ["5", "1", "3"]
    assert users(folder / "part-*") == ["1", "3"]
    assert users(folder / "part-[2-9].csv") == ["3"]
    with pytest.raises(BadInput, match="no file matches this pattern"):
        users(folder / "*.parquet")
    (folder / "part-3.csv").write_text("learner,item\n4,3\n")
    with pytest.raises(BadInput, match=r"part-3\.csv: has no column 'user'"):
        users(folder)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["day-1", "day-10", "day-2"], "log/day-2: is read after log/day-10"),
        (["2024-9/a", "2024-10/a"], "log/2024-9/a: is read after log/2024-10/a"),
        (["p1", "p1a", "p02", "p3", "p10"], "log/p1: is read after log/p02"),
        (["day-02", "day-10"], None),
        (["p01", "p1"], None),  # one number, written in two ways
        (["p", "p0", "p1"], None),  # none comes before the first
        (["a", "b9", "c10", "c11b", "c11c"], None),
    ],
)
def test_numbers_in_names_are_in_order_where_rows_are(names: list[str], told: str | None) -> None:
    files = sorted(Path("log") / name for name in names)
    if told is None:
        return check_order(files)
    with pytest.raises(BadInput, match=told):
        check_order(files)
    return None


def test_a_name_with_the_signs_of_a_pattern_is_a_name_first(write: Write) -> None:
    assert read(write("a\n1\n", "log[1].csv")) == [("1",)]


def test_a_folder_of_parquet_files_is_one_table(tmp_path: Path) -> None:
    for n in range(3):
        pl.DataFrame({"a": [n]}).write_parquet(tmp_path / f"part-{n}.parquet")
    assert read(tmp_path, format="parquet") == [(0,), (1,), (2,)]
    pl.DataFrame({"a": ["x"]}).write_parquet(tmp_path / "part-3.parquet")
    with pytest.raises(BadInput, match=r"part-3\.parquet: its columns have other names or types"):
        read(tmp_path, format="parquet")


def test_a_delta_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()
    with pytest.raises(BadInput, match="is a Delta table"):
        read(tmp_path, format="parquet")
