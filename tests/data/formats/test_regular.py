"""What polars reads, Python's csv module reads the same, to the last sign."""

import csv
import io
from io import BytesIO

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsweep.data.formats import regular
from recsweep.data.formats.content import Content
from recsweep.data.formats.regular import is_regular

TEXTS = st.text(alphabet='ab,"\n\r ', min_size=1, max_size=24)


def content_of(text: str) -> Content:
    data = text.encode()
    return Content(BytesIO(data), data, b",")


CASES = [
    ('a,b\n"1","2"\n', True),
    ('"a ""b"" c",""\n"""",","', True),
    ('"a\nb",c\r\n"d"\r\n', True),
    ('a,5" b\n', False),
    ('a, "b"\n', False),
    ('"a"b,c\n', False),
    ('"a","b",5"c"\n', False),
    ('"a","b"x,"c"\n', False),
    ('a\n"b"x', False),
    ('"a\n', False),
    ("a\n\nb\n", False),
    ("a\rb\n", False),
    ("\na\n", False),
    ("\r\na\n", False),
    ("\ufeff\na\n", False),
    ("\ufeffa\n", True),
    ("a\n\r\nb\n", False),
    ("a,b\n1,", False),  # the last field is empty
    ("a,b\n1,\n", True),
]


@pytest.mark.parametrize(("text", "right"), CASES)
def test_quotes_and_line_ends_of_rfc_4180_are_regular(text: str, right: bool) -> None:
    assert is_regular(content_of(text), '"', None) is right


@pytest.mark.parametrize("block", range(1, 8))
def test_blocks_change_no_verdict(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regular, "BLOCK", block)
    for text, right in CASES:
        assert is_regular(content_of(text), '"', None) is right


def test_without_quotes_that_mean_something_they_may_stand_anywhere() -> None:
    for text in ('a,5" b\n', '"a\n', "'a'b,c\n"):
        assert is_regular(content_of(text), None, None)
    assert is_regular(content_of('"a"b,c\n'), "'", None)
    assert not is_regular(content_of("'a'b,c\n"), "'", None)


def test_an_escape_that_occurs_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_regular(content_of("a,b\n"), '"', "\\")
    assert not is_regular(content_of("a,\\b\n"), '"', "\\")
    assert not is_regular(content_of("a,\\b\n"), None, "\\")
    assert not is_regular(content_of("\\a,b\n"), '"', "\\")
    assert is_regular(content_of('"a""b"\n'), '"', '"')


@settings(max_examples=400)
@given(TEXTS, st.integers(1, 5))
def test_a_regular_text_has_the_same_rows_for_polars_and_python(text: str, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(regular, "BLOCK", block)
        if not is_regular(content_of(text), '"', None):
            return
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    width = max(map(len, rows))
    schema = {str(n): pl.String for n in range(width)}
    found = pl.read_csv(
        text.encode(), has_header=False, infer_schema=False, schema=schema, missing_columns="insert"
    )
    expected = [[cell or None for cell in row] + [None] * (width - len(row)) for row in rows]
    assert [[cell or None for cell in row] for row in found.rows()] == expected
