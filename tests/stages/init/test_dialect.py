"""Rows of a file's first lines under a layout that may be its own, and the layout that is taken."""

from pathlib import Path

import pytest

from recsweep.config.schema import Table
from recsweep.errors import BadInput
from recsweep.stages.init import dialect
from recsweep.stages.init.dialect import ROWS, _has_header, _rows, _sample, find_dialect
from recsweep.stages.init.questions import Answers


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


@pytest.mark.parametrize("separator", [",", "::"])
def test_no_more_rows_are_read_than_a_layout_is_told_from(separator: str) -> None:
    found = _rows(f"a{separator}b\n" * (ROWS + 5), separator, {})
    assert [number for _, number in found] == list(range(1, ROWS + 1))


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        (["user_id,mood", "7,good"], True),
        (["user_id,mood"], True),  # nothing but a header
        (["3,user_id", "4,5"], True),  # one name that is known is enough
        (["level,mood", "easy,good"], True),  # words, as their values are
        (["level,mood"], False),  # nothing to differ from
        (["level,level", "1,2"], False),
        (["level, ", "1,2"], False),
        (["7.5,mood", "easy,good"], False),  # a number names nothing
        (["1999,mood", ",good"], True),  # unless nothing stands below it
        (["easy,mood", "hard,good", "easy,sad"], False),
        (["u12,mood", "u7,good"], False),  # an id like those below it
        (["mood,u12", "good,u7"], False),
        (["level,mood", "easy", "hard,good"], True),
        (["level,u12", "easy,", "hard,u7"], False),  # told by the first value that is there
        (["level,u12", "easy,u7", "hard,x-y"], False),
    ],
)
def test_a_header_differs_from_the_values_below_it(rows: list[str], header: bool) -> None:
    assert _has_header([row.split(",") for row in rows]) is header


def table_of(text: str, folder: Path) -> Table:
    path = folder / "log.csv"
    path.write_text(text)
    return find_dialect(path, Answers(None))


@pytest.mark.parametrize(
    ("line", "separator"),
    [
        ("a;b;c,d", ";"),  # more columns
        ("a;b,c", ","),  # of as many columns, the more usual one
        ("a|b;c", ";"),
        ("a b c d,e", ","),  # spaces part words: taken where nothing else is
        ("1 2 3", " "),
        ("1::2::3", "::"),
        ("1\t2,5\t3", "\t"),
        ("a,b", ","),
    ],
)
def test_the_separator_is_the_one_that_makes_the_most_columns_or_the_usual_one(
    line: str, separator: str, tmp_path: Path
) -> None:
    assert table_of(f"{line}\n" * 20, tmp_path).separator == separator


@pytest.mark.parametrize(("odd", "fits"), [(1, True), (2, False)])
def test_nineteen_rows_of_twenty_must_have_as_many_fields(
    odd: int, fits: bool, tmp_path: Path
) -> None:
    text = "a,b,c\n" * (20 - odd) + "a,b\n" * odd
    if fits:
        assert table_of(text, tmp_path).separator == ","
        return
    with pytest.raises(BadInput, match="no separator fits"):
        table_of(text, tmp_path)


@pytest.mark.parametrize(("lines", "fits"), [(0, True), (1, True), (10, True), (11, False)])
def test_up_to_ten_lines_before_the_table_are_skipped(
    lines: int, fits: bool, tmp_path: Path
) -> None:
    text = "".join(f"line{n}\n" for n in range(lines)) + "user_id,mood\n" + "7,good\n" * 300
    if fits:
        table = table_of(text, tmp_path)
        assert (table.skip, table.header) == (lines, True)
        return
    with pytest.raises(BadInput, match="no separator fits"):
        table_of(text, tmp_path)


@pytest.mark.parametrize(
    ("line", "quote", "escape"),
    [
        ('"a","b"', None, None),
        ('"a"\t"b"', '"', None),  # quotes around fields of tabs mean what they do elsewhere
        ('5" disc\tb', None, None),
        ('a,"5\\" disc, new"', None, "\\"),
        ('"C:\\","b"', None, '"'),  # a field that ends in a backslash
        ('a,"b" c', "", None),  # a sign like any other
        ('"a"::"b"', None, None),
        ('5\\" disc::b', None, None),
    ],
)
def test_quotes_mean_what_fits_all_rows(
    line: str, quote: str | None, escape: str | None, tmp_path: Path
) -> None:
    table = table_of(f"{line}\n" * 20, tmp_path)
    assert (table.quote, table.escape) == (quote, escape)


def test_a_table_of_one_column_or_of_nothing_has_no_separator(tmp_path: Path) -> None:
    for text in ("word\n" * 20, "\n"):
        with pytest.raises(BadInput, match="tried comma, tab, semicolon, bar, ::, \\^ and space"):
            table_of(text, tmp_path)


def test_lines_that_are_skipped_are_those_of_the_file_and_not_rows(tmp_path: Path) -> None:
    table = table_of('"Report\nof March"\n\nuser_id,mood\n' + "7,good\n" * 30, tmp_path)
    assert (table.skip, table.header) == (2, True)
    table = table_of("7,good\n" * 30, tmp_path)
    assert (table.skip, table.header) == (0, False)


def test_a_folder_and_a_workbook_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"zip|workbook"):
        table_of("PK\x03\x04" + "\0" * 60, tmp_path)
    (tmp_path / "PAR1").mkdir()
    with pytest.raises(BadInput, match="PAR1: cannot be read"):
        find_dialect(tmp_path / "PAR1", Answers(None))


def test_a_file_that_begins_as_parquet_does_is_of_it_whatever_its_name(tmp_path: Path) -> None:
    assert table_of("PAR1 and more", tmp_path).format == "parquet"
    assert table_of("PARa,b\n" * 9, tmp_path).format == "csv"


@pytest.mark.parametrize(
    ("text", "sample"),
    [
        ("a,b\n1,2", "a,b\n1,2"),  # whole, to its end
        ("\ufeffa,b\n", "a,b\n"),
        ("a,b\n1,23\n4", "a,b"),  # of more than eight signs, the lines that end by then
        ("a,b\n1,23", "a,b"),  # exactly eight: who knows what follows
        ("a,b\n1,2\n", "a,b\n1,2"),
        ("a,b,c,d,e,f", "a,b,c,d,"),  # no line ends: what there is
        ("\ufeff𝒜\n𝒜𝒜𝒜𝒜𝒜𝒜𝒜𝒜", "𝒜"),  # 32 bytes are fewer signs
    ],
)
def test_a_sample_is_of_whole_lines(
    text: str, sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "SAMPLE", 8)
    (tmp_path / "log.csv").write_bytes(text.encode())
    assert _sample(tmp_path / "log.csv", "utf-8") == sample


def test_a_sample_of_as_many_bytes_as_are_read_may_end_within_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "SAMPLE", 8)
    (tmp_path / "log.csv").write_bytes("a\nbcdefghi".encode("utf-32"))  # seven signs in 32 bytes
    assert _sample(tmp_path / "log.csv", "utf-32") == "a"
