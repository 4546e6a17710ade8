"""CSV as exports write it, against what Python's csv module reads."""

import csv
import io
import string
from collections.abc import Callable
from pathlib import Path

import pytest

from recsweep.config.files import validate
from recsweep.config.schema import Table
from recsweep.data.formats import rows as strictly
from recsweep.data.reading import read_table
from recsweep.errors import BadInput

Write = Callable[..., Path]
SEPARATORS = [s for s in string.printable if s not in '\r\n"' and not s.isalnum()] + ["\x01", "§"]


def read(path: Path, **table: object) -> list[tuple[str | None, ...]]:
    return read_table(
        Table.model_validate({"path": str(path), **table}), path, [], others=True
    ).rows()


def of_python(text: str, **dialect: object) -> list[tuple[str | None, ...]]:
    rows = csv.reader(io.StringIO(text, newline=""), **dialect)  # type: ignore[arg-type]
    return [tuple(cell or None for cell in row) for row in rows if row]


@pytest.mark.parametrize("separator", [*SEPARATORS, "::", "||", "<->"])
@pytest.mark.parametrize("header", [True, False])
def test_columns_have_our_names_whatever_the_separator(
    write: Write, separator: str, header: bool
) -> None:
    lines = [["a", "b", "c"], ["1", "2", "3"], ["4", "5", "6"]]
    path = write("".join(separator.join(line) + "\n" for line in lines))
    table = Table(path=str(path), separator=separator, header=header)
    names = lines[0] if header else ["column_1", "column_2", "column_3"]
    found = read_table(table, path, names[::-1])
    assert found.columns == names[::-1]
    rows = lines[1:] if header else lines
    assert found.rows() == [tuple(row[::-1]) for row in rows]


@pytest.mark.parametrize(
    "row",
    [
        r'u2,c1,"a 5\" disc",1700025200',
        r'u2,c1,"ends with \"",1700025200',
        r'u2,c1,"C:\",1700025200',
        r'"u2","say \"hi\", twice","c1","1"',
    ],
)
def test_a_backslash_before_a_quote_has_to_be_declared(write: Write, row: str) -> None:
    path = write("user,item,title,time\nu1,c1,plain,1\n" + row + '\nu3,c2,"x",2\n')
    with pytest.raises(BadInput, match=r'line 3 has a backslash before a "; set escape: "\\\\"'):
        read(path)


def test_a_declared_escape_is_read_as_python_reads_it(write: Write) -> None:
    text = 'u1,"a 5\\" disc",1\nu2,"ends with \\"",2\nu3,"two\nlines, \\\\ ""x""",3\nu4,a\\,b,4\n'
    found = read(write(text), header=False, escape="\\")
    assert found == of_python(text, escapechar="\\")
    assert [row[1] for row in found] == ['a 5" disc', 'ends with "', 'two\nlines, \\ "x"', "a,b"]


def test_doubled_quotes_are_declared_where_a_field_ends_in_a_backslash(write: Write) -> None:
    text = 'u1,"C:\\",1\nu2,"say ""hi""",2\n'
    assert read(write(text), header=False, escape='"') == of_python(text)


def test_a_null_of_mysql_and_hive_is_no_n(write: Write) -> None:
    path = write("u1\t\\N\ta\\\tb\nN\t\\N\t\\N\nu2\ta\\\n\\N\tb\n")
    found = read(path, separator="\t", header=False, escape="\\")
    assert found == [("u1", "\\N", "a\tb"), ("N", "\\N", "\\N"), ("u2", "a\nN", "b")]


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("separator", [",", "::"])
@pytest.mark.parametrize("more", [True, False])
def test_a_row_that_is_longer_than_the_first_is_named(
    write: Write, header: bool, separator: str, more: bool
) -> None:
    rows = ["a,b", "1,2", "3,4,,", "5,6"][: 4 if more else 3]
    path = write("\n".join(row.replace(",", separator) for row in rows))
    with pytest.raises(BadInput, match=f"row {2 if header else 3} has 4 fields, expected 2"):
        read(path, header=header, separator=separator)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('u2,"a 5" disc",1', r'line 2 has text after the " that closes a field'),
        ('u2,"open,1\nu3,x,2', r'line 2 has a field that " opens and nothing closes'),
        ('u2,x,1\nu3,"y"z,2', r'line 3 has text after the " that closes a field'),
    ],
)
def test_a_quote_with_no_one_reading_is_refused_with_its_line(
    write: Write, row: str, message: str
) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        read(write(f"a,b,c\n{row}\n"))
    assert 'set quote: ""' in str(caught.value)


def test_a_field_that_is_too_long_is_told_with_its_line(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strictly, "LONGEST_FIELD", 9)
    assert read(write("a,b\n\\,,123456789\n"), escape="\\") == [(",", "123456789")]
    with pytest.raises(BadInput, match=r"line 3 is not valid CSV \(field larger than field limit"):
        read(write("a,b\n\\,,2\n1234567890,3\n"), escape="\\")


@pytest.mark.parametrize(
    "row", ['u2,The 5" disc,1', 'u2,5" and 7" discs,1', "u2,say \"no\" to 'that',1"]
)
def test_a_quote_amid_a_field_without_quotes_is_a_sign_like_any_other(
    write: Write, row: str
) -> None:
    text = f'u1,"a, b",1\n{row}\nu3,c,2\n'
    assert read(write(text), header=False) == of_python(text)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\r\n1,2\r\n\r\n3,4\r\n",
        "a,b\n\n\n1,2\n\n3,4\n\n\n",
        "\n\na,b\n1,2\n",
        "a,b\r1,2\r3,4",
        '"a","b"\n"1\n\n2","3"\n',
        '"a\nb",c\n1,2\n',
        'a,b\n"1\r2",3\n',
        "a,b\n1\n3,4\n5,\n",
        '"a","b"\n"","""x"""\n",",2',
        "\ufeffa,b\n1,2\n",
        '\ufeff"a",b\n1,2\n',
        "a\n1\n2\n",
        'a,b\n"1"," 2"\n 3 ,4\n',
    ],
)
def test_line_ends_empty_lines_and_quotes_are_read_as_python_reads_them(
    write: Write, text: str
) -> None:
    names, *rows = of_python(text.removeprefix("\ufeff"))
    width = len(names)
    assert read(write(text)) == [row + (None,) * (width - len(row)) for row in rows]


def test_quotes_are_read_right_across_many_blocks(write: Write) -> None:
    rows = [
        (f"u{n}", f'line one\nline "{n % 7}", and more' * (n % 3), str(n)) for n in range(40_000)
    ]
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    found = read(write(text.getvalue()), header=False)
    assert found == [tuple(cell or None for cell in row) for row in rows]


def test_another_sign_may_quote_or_none(write: Write) -> None:
    text = "a,b\n'1,2',\"3\n"
    assert read(write(text), quote="'") == [("1,2", '"3')]
    assert read(write('a,b\n"1,2"\n'), quote="") == [('"1', '2"')]
    assert read(write('a\tb\n"1\t2"\t3\n'), separator="\t", quote='"') == [("1\t2", "3")]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("user,item,user", r"has 2 columns called 'user' \(1, 3 of 3\); rename all but one"),
        ("user,user,user", r"has 3 columns called 'user' \(1, 2, 3 of 3\)"),
    ],
)
def test_a_repeated_name_is_refused_where_it_is_asked_for(
    write: Write, header: str, message: str
) -> None:
    path = write(f"{header}\n1,2,3\n")
    with pytest.raises(BadInput, match=message):
        read_table(Table(path=str(path)), path, ["user"])


def test_a_repeated_name_that_nobody_asks_for_does_no_harm(write: Write) -> None:
    path = write("x,user,x\n1,2,3\n")
    assert read_table(Table(path=str(path)), path, ["user"]).rows() == [("2",)]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"separator": "\\t"}, r"separator: found a backslash and 't'; write it in double quotes"),
        ({"separator": "\\x01"}, r"separator: found a backslash and 'x01'"),
        ({"separator": "\\|"}, r"separator: found a backslash and '\|'.* without the backslash"),
        ({"separator": "\n"}, "holds no line end"),
        ({"separator": "'", "quote": "'"}, "must be different signs"),
        ({"separator": "::", "quote": '"'}, "quote needs a separator of one character"),
        ({"escape": "ab"}, "escape: string should have at most 1 character"),
        ({"escape": "é"}, "found 'é', expected a sign of ASCII"),
        ({"encoding": "utf9"}, "encoding: 'utf9' is no encoding of text; such are utf-8"),
        ({"encoding": "base64"}, "is no encoding of text"),
        ({"encoding": "idna"}, "is no encoding of text"),
    ],
)
def test_a_key_that_can_mean_nothing_is_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        validate(Table, {"path": "x", **keys}, "mine.yaml")
