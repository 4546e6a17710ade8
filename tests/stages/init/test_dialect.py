"""Rows of a file's first lines under a layout that may be its own."""

import pytest

from recsweep.stages.init.dialect import ROWS, _rows


@pytest.mark.parametrize(
    ("text", "separator", "keys", "rows"),
    [
        ("a,b\n\n1,2\n", ",", {}, [(["a", "b"], 1), (["1", "2"], 3)]),
        ('"a,b",c\n', ",", {}, [(["a,b", "c"], 1)]),
        ('"a\nb",c\n1,2\n', ",", {}, [(["a\nb", "c"], 2), (["1", "2"], 3)]),
        ('a,b\n"x"y,1\n', ",", {}, []),  # text after a closing quote: these quotes don't fit
        ('a,b\n"x,1\n', ",", {}, []),
        ('a,b\n"x"y,1\n', ",", {"quote": ""}, [(["a", "b"], 1), (['"x"y', "1"], 2)]),
        ('"a"\tb\n', "\t", {}, [(['"a"', "b"], 1)]),
        ('"a"\tb\n', "\t", {"quote": '"'}, [(["a", "b"], 1)]),
        ('"a\\"b",c\n', ",", {"escape": "\\"}, [(['a"b', "c"], 1)]),
        ('"a""b",c\n', ",", {"escape": '"'}, [(['a"b', "c"], 1)]),
        ('"a"::b\n\nc::d\n', "::", {}, [(['"a"', "b"], 1), (["c", "d"], 3)]),
    ],
)
def test_rows_are_read_by_a_layout_and_there_are_none_where_its_quotes_do_not_fit(
    text: str, separator: str, keys: dict[str, str], rows: list[tuple[list[str], int]]
) -> None:
    assert _rows(text, separator, keys) == rows


def test_no_more_rows_are_read_than_a_layout_is_told_from() -> None:
    found = _rows("a,b\n" * (ROWS + 5), ",", {})
    assert [number for _, number in found] == list(range(1, ROWS + 1))
