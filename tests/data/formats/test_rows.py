"""Rows of CSV, strictly."""

from io import BytesIO
from pathlib import Path

import pytest

from recsweep.data.formats import rows as module
from recsweep.data.formats.content import Content
from recsweep.data.formats.rows import frames_of, rows_of
from recsweep.errors import BadInput

LOG = Path("log.csv")


def rows(text: str, quote: str | None = '"', escape: str | None = None) -> list[list[str]]:
    data = text.encode()
    return list(rows_of(Content(BytesIO(data), data, b","), quote, escape, LOG))


def test_every_row_comes_without_empty_lines_or_a_byte_order_mark() -> None:
    assert rows('\ufeffa,b\r\n\n1,\n\n"x\ny","z"""') == [["a", "b"], ["1", ""], ["x\ny", 'z"']]


def test_a_file_is_read_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes("a;课\r\n".encode())
    content = Content(tmp_path / "log", b"", b";")
    assert list(rows_of(content, None, None, LOG)) == [["a", "课"]]


def test_quotes_mean_what_is_said_or_nothing() -> None:
    assert rows("'a,b',\"c\n", "'") == [["a,b", '"c']]
    assert rows('"a,b"\n', None) == [['"a', 'b"']]


def test_an_escape_of_its_own_is_one_and_a_quote_before_a_quote_is_its_double() -> None:
    assert rows('"a\\"b",c\\,d\n', escape="\\") == [['a"b', "c,d"]]
    assert rows('"a""b\\",c\n', escape='"') == [['a"b\\', "c"]]
    assert rows("a\\,b\n") == [["a\\", "b"]]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("\\N,\\Na,a\\N,\\N\n", ["\\N", "Na", "aN", "\\N"]),
        ("\\N\r\n", ["\\N"]),
        ("\\N", ["\\N"]),
        ("a\\\n\\N,\\N\n", ["a\nN", "\\N"]),  # goes on after an escaped line end
        ("a\\\\\n", ["a\\"]),
        ("a\\\\\\\n\\N\n", ["a\\\nN"]),  # the last of three escapes the line end
    ],
)
def test_an_escaped_n_that_is_a_whole_field_is_a_null(text: str, row: list[str]) -> None:
    assert rows(text, None, "\\") == [row]


def test_a_line_after_an_escaped_backslash_begins_with_a_field() -> None:
    assert rows("a\\\\\n\\N\n", None, "\\") == [["a\\"], ["\\N"]]


def test_an_escape_that_is_a_sign_of_patterns_is_itself() -> None:
    assert rows("a^,b,^N\n", None, "^") == [["a,b", "^N"]]


def test_quotes_that_close_amid_a_field_or_never_are_told_with_their_line() -> None:
    advice = (
        'if a backslash escapes quotes, set escape: "\\\\"; '
        'if quotes mean nothing here, set quote: ""'
    )
    for text, line, what in (
        ('a,b\n"x\ny",1\n"c"d,2\n', 4, 'text after the " that closes a field'),
        ('"a"b,1\n', 1, 'text after the " that closes a field'),
        ('a,b\n\n"c,2\n3\n', 3, 'a field that " opens and nothing closes'),
    ):
        with pytest.raises(BadInput) as refused:
            rows(text)
        assert str(refused.value) == f"log.csv: line {line} has {what}; {advice}"


def test_what_else_the_csv_module_refuses_is_told_in_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LONGEST_FIELD", 9)
    with pytest.raises(BadInput, match=r"^log\.csv: line 2 is not valid CSV \(field larger than "):
        rows("a,b\n0123456789,2\n")
    assert rows("012345678\n") == [["012345678"]]


def test_a_field_may_be_longer_than_python_allows_by_default() -> None:
    assert [len(cell) for cell in rows("x" * 200_000 + ",y\n")[0]] == [200_000, 1]


def frames(
    lines: list[list[str]], wanted: list[str], first: int = 2
) -> list[list[tuple[str | None, ...]]]:
    return [frame.rows() for frame in frames_of(iter(lines), ["a", "b", "c"], wanted, LOG, first)]


def test_wanted_columns_come_in_batches_after_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    lines = [["1", "2", "3"], ["4", "", "6"], ["7"]]
    want = [[], [("3", "1"), ("6", "4")], [(None, "7")]]
    assert frames([*map(list, lines)], ["c", "a"]) == want
    assert frames([*map(list, lines)], ["b"]) == [[], [("2",), (None,)], [(None,)]]


def test_without_a_row_the_columns_are_there_all_the_same() -> None:
    (empty,) = frames_of(iter([]), ["a", "b"], ["b"], LOG, 1)
    assert empty.columns == ["b"]
    assert empty.is_empty()


@pytest.mark.parametrize(("at", "number"), [(0, 7), (1, 8), (2, 9), (4, 11)])
def test_a_row_with_too_many_fields_is_named(
    at: int, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    lines = [["1", "2", "3"] for _ in range(5)]
    lines[at].append("4")
    with pytest.raises(BadInput, match=rf"^log\.csv: row {number} has 4 fields, expected 3$"):
        frames(lines, ["a"], first=7)
