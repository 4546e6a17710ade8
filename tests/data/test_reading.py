import gzip
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from recsweep.config.schema import Table
from recsweep.data import reading
from recsweep.data.formats.content import STAND_INS
from recsweep.data.reading import (
    as_text,
    column_names,
    read_batches,
    read_table,
    refuse_other_spellings,
    refuse_unread,
)
from recsweep.errors import BadInput

Write = Callable[..., Path]


def read(path: Path, *columns: str, **table: object) -> dict[str, list[str | None]]:
    described = Table.model_validate({"path": str(path), **table})
    return read_table(described, path, columns).to_dict(as_series=False)


def test_every_csv_value_is_text_and_an_empty_field_is_null(write: Write) -> None:
    path = write("user,item,n\n007,1.0,\n8,x,3\n")
    assert read(path, "user", "item", "n") == {
        "user": ["007", "8"],
        "item": ["1.0", "x"],
        "n": [None, "3"],
    }


def test_only_the_named_columns_are_read_in_the_named_order(write: Write) -> None:
    assert list(read(write("a,b,c\n1,2,3\n"), "c", "a")) == ["c", "a"]


def test_a_gzipped_file_and_a_plain_one_read_the_same(write: Write) -> None:
    text = "a,b\n1,2\n3,4\n"
    plain, packed = write(text), write(gzip.compress(text.encode(), mtime=0), "log.csv.gz")
    assert read(plain, "a", "b") == read(packed, "a", "b")


def test_a_quoted_field_may_hold_separators_quotes_and_line_breaks(write: Write) -> None:
    path = write('id,title\n1,"Say ""hi"", twice\nplease"\n')
    assert read(path, "title") == {"title": ['Say "hi", twice\nplease']}


def test_quotes_are_ordinary_characters_in_a_tab_separated_file(write: Write) -> None:
    path = write('id\ttitle\n1\t"Scream\n2\tSay "no"\n')
    assert read(path, "title", separator="\t") == {"title": ['"Scream', 'Say "no"']}


def test_a_separator_may_have_several_characters(write: Write) -> None:
    path = write('1::A: B::5\r\n2::"C::\r\n')
    found = read(path, "column_1", "column_2", "column_3", separator="::", header=False)
    assert found == {"column_1": ["1", "2"], "column_2": ["A: B", '"C'], "column_3": ["5", None]}


def test_a_file_that_is_split_otherwise_than_told_is_refused_with_the_key_that_says_how(
    write: Write,
) -> None:
    with pytest.raises(BadInput, match=r"'u,i' is its only column, split by '\\t'.*\(separator\)"):
        read(write("u,i\n1,2\n"), "u", "i", separator="\t")


def test_a_separator_of_several_characters_may_have_a_header(write: Write) -> None:
    assert read(write("u::i\n1::2\n"), "i", separator="::") == {"i": ["2"]}


def test_a_separator_of_several_characters_leaves_control_characters_alone(write: Write) -> None:
    signs = [sign.decode() for sign in STAND_INS]
    path = write(f"u::i\n1{signs[0]}::2\n")
    assert read(path, "u", "i", separator="::") == {"u": [f"1{signs[0]}"], "i": ["2"]}
    with pytest.raises(BadInput, match="has control characters beside the separator b'::'"):
        read(write(f"u::i\n1{''.join(signs)}::2\n"), "i", separator="::")


@pytest.mark.parametrize("table", [{}, {"encoding": "latin-1"}, {"separator": "::"}])
def test_batches_hold_the_rows_of_the_table_in_order(
    write: Write, table: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 7)
    separator = str(table.get("separator", ","))
    path = write("".join(f"{a}{separator}{b}\n" for a, b in [("a", "b"), *enumerate("x" * 100)]))
    described = Table.model_validate({"path": str(path), **table})
    batches = list(read_batches(described, path, ["b", "a"]))
    assert len(batches) > 1
    assert pl.concat(batches).equals(read_table(described, path, ["b", "a"]))


def test_a_long_row_in_a_later_batch_is_named(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    path = write("a,b\n" + "1,2\n" * 20 + "1,2,3\n")
    with pytest.raises(BadInput, match="row 21 has 3 fields, expected 2"):
        list(read_batches(Table(path=str(path)), path, ["a"]))


def test_a_header_in_a_later_batch_is_named_by_its_row_in_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BATCH", 2)
    path = write("a,b\n" + "1,2\n" * 40 + "a,b\n" + "1,2\n" * 9)
    batches = read_batches(Table(path=str(path)), path, ["a", "b"])
    assert len(next(batches)) < 40
    with pytest.raises(BadInput, match="row 41 is the header again"):
        list(batches)


def test_batches_hold_the_named_columns_alone(write: Write) -> None:
    path = write("a,b,c\n1,2,3\n")
    (batch,) = read_batches(Table(path=str(path)), path, ["c", "a", "c"])
    assert batch.to_dict(as_series=False) == {"c": ["3"], "a": ["1"]}


def test_a_row_with_a_wrong_number_of_parts_is_named(write: Write) -> None:
    path = write("1::a::5\n2::b::c::5\n")
    with pytest.raises(BadInput, match=r"log\.csv: row 2 has 4 fields, expected 3"):
        read(path, "column_1", separator="::", header=False)


def test_latin_1_is_read_when_it_is_declared(write: Write) -> None:
    content = "id,title\n1,Amélie\n".encode("latin-1")
    assert read(write(content), "title", encoding="latin-1") == {"title": ["Amélie"]}
    split = write(content.replace(b",", b"::"), "split.dat")
    found = read(split, "title", encoding="latin-1", separator="::")
    assert found == {"title": ["Amélie"]}


def test_latin_1_that_is_not_declared_is_refused_with_advice(write: Write) -> None:
    path = write("id,title\n1,Amélie\n".encode("latin-1"))
    with pytest.raises(BadInput, match="set encoding: latin-1"):
        read(path, "title")
    with pytest.raises(BadInput, match="set encoding: latin-1"):
        read(write("1::Amélie\n".encode("latin-1")), "column_1", separator="::", header=False)
    late = "id,title\n" + "1,Amelie\n" * 30_000 + "2,Amélie\n"
    with pytest.raises(BadInput, match="set encoding: latin-1"):
        read(write(late.encode("latin-1")), "title")


def test_a_byte_order_mark_is_no_part_of_the_first_name(write: Write) -> None:
    assert read(write(b"\xef\xbb\xbfuser,item\n1,2\n"), "user") == {"user": ["1"]}


def test_a_missing_column_is_named_with_the_nearest(write: Write) -> None:
    with pytest.raises(BadInput, match=r"no column 'usr'; did you mean 'user'\?"):
        read(write("user,item\n1,2\n"), "usr")


def test_a_row_with_too_many_fields_is_named_even_if_they_are_not_asked_for(write: Write) -> None:
    path = write('id,title,n\n1,"a, b",2\n2,c, d,3\n')
    with pytest.raises(BadInput, match=r"row 2 has 4 fields, expected 3"):
        read(path, "id")


@pytest.mark.parametrize(("header", "row"), [(True, 2), (False, 3)])
def test_a_long_row_among_quotes_that_are_plain_signs_is_named_too(
    write: Write, header: bool, row: int
) -> None:
    path = write('id,title\n1,The 5" disc\n2,c,d\n')
    with pytest.raises(BadInput, match=f"row {row} has 3 fields, expected 2"):
        read(path, "id" if header else "column_1", header=header)


@pytest.mark.parametrize("quoted", ["a,b", '"a",b'])
def test_a_header_in_the_middle_is_no_row(write: Write, quoted: str) -> None:
    path = write(f"a,b\n1,2\n3,4\n{quoted}\n5,6\n")
    with pytest.raises(BadInput, match="row 3 is the header again; leave it out"):
        read(path, "a", "b")
    with pytest.raises(BadInput, match="row 3 is the header again; leave it out"):
        list(read_batches(Table(path=str(path)), path, ["b", "a"]))


def test_a_value_that_is_its_columns_name_is_a_value(write: Write) -> None:
    assert read(write("a,b\na,2\n1,b\n"), "a", "b") == {"a": ["a", "1"], "b": ["2", "b"]}
    assert read(write("a,b\n1,2\na,b\n"), "a") == {"a": ["1", "a"]}


def test_names_of_columns_with_nothing_beside_them_are_values(write: Write, tmp_path: Path) -> None:
    """A header that comes again is whole; one of Parquet or of no header never does."""
    assert read(write("a,b\na,\n,b\n"), "a", "b") == {"a": ["a", None], "b": [None, "b"]}
    rows = "1,2\ncolumn_1,column_2\n"
    found = read(write(rows), "column_1", "column_2", header=False)
    assert found == {"column_1": ["1", "column_1"], "column_2": ["2", "column_2"]}
    pl.DataFrame({"a": ["a"], "b": ["b"]}).write_parquet(tmp_path / "log.parquet")
    assert read(tmp_path / "log.parquet", "a", "b", format="parquet") == {"a": ["a"], "b": ["b"]}


def test_a_files_name_is_no_pattern(write: Write, tmp_path: Path) -> None:
    write("x,y\n1,2\n", "log1.csv")
    path, packed = write("a,b\n3,4\n", "log[1].csv"), tmp_path / "log[1].parquet"
    pl.DataFrame({"a": ["3"]}).write_parquet(packed)
    pl.DataFrame({"x": ["1"]}).write_parquet(tmp_path / "log1.parquet")
    assert read(path, "a") == read(packed, "a", format="parquet") == {"a": ["3"]}
    assert column_names(Table(path=str(path)), path) == ["a", "b"]
    assert column_names(Table(path=str(packed), format="parquet"), packed) == ["a"]


def test_a_packed_file_that_is_damaged_far_from_its_start_is_refused(write: Write) -> None:
    packed = bytearray(gzip.compress(b"a,b\n" + b"1,2\n" * 50_000, mtime=0))
    packed[-8] ^= 1  # its checksum, which is met at the end
    with pytest.raises(BadInput, match=r"log\.csv: is a damaged gzip file"):
        read(write(bytes(packed)), "a")


def test_text_that_the_declared_encoding_does_not_have_is_refused_by_its_name(
    write: Write,
) -> None:
    with pytest.raises(BadInput, match=r"log\.csv: is not text in ascii \(encoding\)"):
        read(write("a,b\nAmélie,2\n"), "a", encoding="ascii")


def test_histories_have_two_columns(write: Write) -> None:
    path = write("u1 a b\nu2 c\n")
    table = Table.model_validate({"path": str(path), "format": "histories", "separator": " "})
    assert column_names(table, path) == ["user", "item"]
    found = read_table(table, path, ["item"], others=True)
    assert found.rows() == [("a", "u1"), ("b", "u1"), ("c", "u2")]
    with pytest.raises(BadInput, match=r"no column 'itm'; did you mean 'item'\?"):
        read_table(table, path, ["itm"])


def test_a_file_with_a_header_only_has_no_rows(write: Write) -> None:
    assert read(write("a,b\n"), "a") == {"a": []}


@pytest.mark.parametrize(
    ("content", "table", "message"),
    [
        (b"", {}, "is an empty file"),
        (b"PAR1\x00\x01", {}, "is a Parquet file; set format: parquet"),
        (b"PK\x03\x04rest", {}, "is a damaged zip file"),
        (b"a,b\n1\0,2\n", {}, "is a binary file"),
        ("a,b\n1,2\n".encode("utf-16"), {}, "is text in UTF-16; set encoding: utf-16"),
        (b"a,b\n1,2\n", {"format": "parquet"}, "is not a Parquet file; set format: csv"),
        (b"PAR1 and then something else PAR1", {"format": "parquet"}, "is not valid Parquet"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 9, mtime=0)[:-9], {}, "damaged"),
        (gzip.compress(b"a,b\n" + b"1,2\n" * 9, mtime=0)[:14] + b"junk" * 9, {}, "damaged"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_in_one_line(
    write: Write, content: bytes, table: dict[str, object], message: str
) -> None:
    path = write(content, "strange.csv")
    with pytest.raises(BadInput) as caught:
        read(path, "a", **table)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such file"):
        read(tmp_path / "nothing.csv", "a")
    with pytest.raises(BadInput, match="is a folder without a file to read"):
        read(tmp_path, "a")


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    pl.DataFrame({"a": [1, 2], "b": ["x", None]}).write_parquet(path)
    found = read_table(Table(path=str(path), format="parquet"), path, ["b", "a"])
    assert found.schema == {"b": pl.String, "a": pl.Int64}
    with pytest.raises(BadInput, match=r"no column 'c'; allowed: a, b"):
        read_table(Table(path=str(path), format="parquet"), path, ["c"])


def test_names_of_columns_are_told_in_the_files_order(write: Write, tmp_path: Path) -> None:
    path = write("b,a\n1,2\n")
    assert column_names(Table(path=str(path)), path) == ["b", "a"]
    assert column_names(Table(path=str(path), header=False), path) == ["column_1", "column_2"]
    pl.DataFrame({"y": [1], "x": [2]}).write_parquet(tmp_path / "log.parquet")
    table = Table(path=str(path), format="parquet")
    assert column_names(table, tmp_path / "log.parquet") == ["y", "x"]


def test_other_columns_come_after_the_named_ones_once(write: Write) -> None:
    path = write("a,b,c\n1,2,3\n")
    found = read_table(Table(path=str(path)), path, ["c"], others=True)
    assert found.to_dict(as_series=False) == {"c": ["3"], "a": ["1"], "b": ["2"]}


def test_a_name_that_is_there_twice_and_a_file_of_empty_lines_are_refused(write: Write) -> None:
    with pytest.raises(BadInput, match=r"has 2 columns called 'a' \(1, 3 of 3\)"):
        read(write("a,b,a\n1,2,3\n"), "a")
    with pytest.raises(BadInput, match="holds nothing but empty lines"):
        read(write("\n\n"), "a")
    with pytest.raises(BadInput, match='line 2 has a backslash before a "; set escape'):
        read(write('a,b\n1,"5\\" disc"\n'), "a")


def test_a_column_that_is_there_twice_does_no_harm_where_it_is_not_asked_for(
    write: Write,
) -> None:
    path = write("a,b,b\n1,2,3\n")
    assert read(path, "a") == {"a": ["1"]}
    with pytest.raises(BadInput, match=r"has 2 columns called 'b' \(2, 3 of 3\)"):
        read_table(Table(path=str(path)), path, ["a"], others=True)


def test_a_backslash_before_a_quote_is_read_as_declared(write: Write) -> None:
    with pytest.raises(BadInput, match='line 1 has a backslash before a "'):
        read(write('\\"a,b\n1,2\n'), "b")
    path = write('a,b\n1,"5\\" disc"\n')
    assert read(path, "b", escape="\\") == {"b": ['5" disc']}
    tabs = write('a\tb\n1\t5\\" disc\n', "tabs.csv")
    assert read(tabs, "b", separator="\t") == {"b": ['5\\" disc']}


def test_a_column_that_a_file_of_one_column_lacks_is_named(write: Write) -> None:
    with pytest.raises(BadInput, match=r"has no column 'b'; allowed: a"):
        read(write("a\n1\n"), "b")


def test_files_of_one_table_have_the_same_types(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "1.parquet")
    pl.DataFrame({"a": ["1"]}).write_parquet(tmp_path / "2.parquet")
    with pytest.raises(BadInput, match=r"2\.parquet: .* other names or types than .* 1\.parquet"):
        read(tmp_path, "a", format="parquet")


@pytest.mark.parametrize("values", [[[1], [2]], [b"1", b"2"]])
def test_lists_and_bytes_have_no_text(values: list[object]) -> None:
    with pytest.raises(BadInput, match=r"x: column 'n' holds .*; expected text, numbers or times"):
        as_text(pl.Series("n", values), Path("x"))
    assert as_text(pl.Series("n", [1, None]), Path("x")).to_list() == ["1", None]
    assert as_text(pl.Series("n", [" ", "a "]), Path("x")).to_list() == [None, "a "]


def test_a_float_that_is_no_number_is_no_text() -> None:
    floats = pl.Series("label", [1.0, float("nan"), None])
    assert as_text(floats, Path("x")).to_list() == ["1.0", None, None]
    assert as_text(floats.cast(pl.Float32), Path("x")).to_list() == ["1.0", None, None]


def test_the_first_value_that_was_not_read_is_named_by_its_row() -> None:
    values = pl.Series("n", ["1", "x", "y"])
    for first_row, row in ((0, 2), (10, 12)):
        with pytest.raises(BadInput, match=rf"^log: row {row}: n is 'x', expected a number$"):
            refuse_unread(values, values.is_in(["x", "y"]), Path("log"), "a number", first_row)
    with pytest.raises(BadInput, match="row 1: n is '1'"):
        refuse_unread(values, values == "1", Path("log"), "a number")
    refuse_unread(values, values == "z", Path("log"), "a number")


def test_another_spelling_of_a_named_value_is_asked_about_the_most_frequent_first() -> None:
    values = pl.Series("bought", ["Yes", "YES", "yes", "no", "YES"])
    with pytest.raises(
        BadInput, match=r"^log: bought is 'YES' in 2 rows, and 'yes' in positive; name both"
    ):
        refuse_other_spellings(values, ["yes"], Path("log"), "positive")
    with pytest.raises(BadInput, match=r"bought is '1\.0' in 1 rows, and '1' in positive"):
        refuse_other_spellings(pl.Series("bought", ["1.0"]), ["1"], Path("log"), "positive")
    refuse_other_spellings(values, ["yes", "Yes", "YES"], Path("log"), "positive")
    refuse_other_spellings(pl.Series("bought", ["10", "no"]), ["1"], Path("log"), "positive")


def test_ten_values_with_digits_under_words_show_a_header(write: Write) -> None:
    rows = ["user,item", *(f"u{n},c{n}" for n in range(10))]
    with pytest.raises(BadInput, match=r"row 1 looks like a header \(user, item\)"):
        read(write("\n".join(rows) + "\n"), "column_1", header=False)
    nine_below = write("\n".join(rows[:-1]) + "\n")
    assert len(read(nine_below, "column_1", header=False)["column_1"]) == 10


@pytest.mark.parametrize("separator", [",", ";", "\t", "::"])
def test_a_header_that_was_declared_away_is_no_row(write: Write, separator: str) -> None:
    rows = "".join(f"u{n}{separator}c{n % 3}\n" for n in range(12))
    path = write(f"user{separator}item\n{rows}")
    with pytest.raises(BadInput, match=r"row 1 looks like a header \(user, item\): set header"):
        read(path, "column_1", separator=separator, header=False)
    assert len(read(path, "user", separator=separator)["user"]) == 12
    assert len(read(write(rows), "column_1", separator=separator, header=False)["column_1"]) == 12


def test_a_file_that_lies_there_twice_is_refused_and_headers_alone_are_not(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    for name, text in {"a": "u,i\n1,2\n", "b": "u,i\n3,4\n", "c": "u,i\n", "d": "u,i\n"}.items():
        write(text, f"logs/{name}.csv")
    assert read(tmp_path / "logs", "u") == {"u": ["1", "3"]}
    copy = write("u,i\n3,4\n", "logs/b (1).csv")
    with pytest.raises(BadInput, match="is a copy of") as told:
        read(tmp_path / "logs", "u")
    assert str(copy) in str(told.value)
    copy.write_bytes(gzip.compress(copy.read_bytes()))
    with pytest.raises(BadInput, match="is a copy of"):
        read(tmp_path / "logs", "u")
