"""A guess at the encoding of what is not UTF-8."""

import gzip
from pathlib import Path

import pytest

from recsweep.data.formats.encodings import BLOCK, is_text_in, looks_like_gbk, not_utf8

HAN, ACCENT = "课程".encode("gbk"), "é".encode("latin-1")


@pytest.mark.parametrize(
    ("sample", "told"),
    [
        (b"", False),
        (b"plain", False),
        (HAN, True),
        ("用户,课程\n张三,高等数学".encode("gbk"), True),
        ("《线性代数》".encode("gbk"), True),
        (ACCENT, False),
        ("café, déjà vu".encode("latin-1"), False),
        (b" ".join([HAN] * 5 + [ACCENT]), True),  # some bytes may be broken: five of six are words
        (b" ".join([HAN] * 4 + [ACCENT]), False),  # four of five aren't enough
        ("价格 ¥".encode("gb18030"), True),  # the sign is four bytes, which tell nothing
        ("¥".encode("gb18030"), False),
    ],
)
def test_pairs_of_high_bytes_that_stand_together_are_han_characters(
    sample: bytes, told: bool
) -> None:
    assert looks_like_gbk(sample) is told


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        ("课程", "it looks like GBK: set encoding: gbk"),
        ("café", "set encoding: latin-1 if that is"),
    ],
)
def test_what_to_set_is_told_wherever_in_the_file_the_first_such_byte_stands(
    content: str, advice: str, tmp_path: Path
) -> None:
    encoding = "gbk" if content == "课程" else "latin-1"
    for before in (0, 1 << 20):
        path = tmp_path / "log.csv"
        path.write_bytes(b"a" * before + content.encode(encoding))
        assert advice in not_utf8(path)


def test_a_file_is_text_in_an_encoding_if_all_of_it_is(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(gzip.compress(b"text\n" * (BLOCK // 5) + HAN))  # the last block tells
    assert [is_text_in(path, each) for each in ("utf-8", "gbk", "utf-16")] == [False, True, False]
    path.write_bytes("课".encode()[:-1])  # cut off in the middle of a sign
    assert not is_text_in(path, "utf-8")
